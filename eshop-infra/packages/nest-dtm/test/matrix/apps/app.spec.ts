import { deepEqual } from 'node:assert/strict';
import { DtmModule, DtmService, newGid } from '@eshop/nest-dtm';
import { LocalTransaction } from '@eshop/nest-dtm/mysql';
import { Test } from '@nestjs/testing';

test('a module with DTM is built in jest', async () => {
  const servers = { default: { http: process.env.DTM_HTTP ?? '', protocol: 'http' as const } };
  const module = await Test.createTestingModule({
    imports: [DtmModule.forRoot({ servers, signature: false, branchSyncCheck: false })],
  }).compile();
  deepEqual(await module.get(DtmService).query(newGid()), null);
  deepEqual(module.get(LocalTransaction).active, false);
  await module.close();
});
