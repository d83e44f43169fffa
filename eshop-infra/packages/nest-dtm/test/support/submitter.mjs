// A submitter in a process of its own, which ends as `kill -9` ends one, at the point named in its instructions.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Redis } from 'ioredis';

const { library, servers, branches, signature, redisUrl, gid, from, to, script, point, options } = JSON.parse(
  process.argv[2],
);
const { DtmModule, DtmService } = await import(`${library}/index.js`);
const { redisBarrier } = await import(`${library}/redis.js`);
const method = (path) => ({ path, requestSerialize: (value) => Buffer.from(JSON.stringify(value)) });
const die = async () => {
  process.kill(process.pid, 'SIGKILL');
  await new Promise(() => undefined);
};

const module = DtmModule.forRoot({ servers, branches, signature, branchSyncCheck: false });
const app = await NestFactory.createApplicationContext(module, { logger: false });
const dtm = app.get(DtmService);
const step = redisBarrier(new Redis(redisUrl)).local(script);
const local = {
  run: async (id) => {
    if (point === 'after prepare') await die();
    const outcome = await step.run(id);
    if (point === 'after the local step') await die();
    return outcome;
  },
  check: (id) => step.check(id),
};
const payload = { key: to, amount: 1 };
if (point.endsWith('of a TCC')) {
  await dtm.tcc(
    gid,
    async (tcc) => {
      const [attempt, confirm, cancel] = ['Take', 'TakeConfirm', 'TakeRevert'].map((name) =>
        method(`/kiosk.Kiosk/${name}`),
      );
      await tcc.branch(attempt, confirm, cancel, { key: from, amount: 3 });
      if (point === 'between the tries of a TCC') await die();
    },
    options,
  );
  await die();
}
await dtm
  .message(gid, options)
  .step(method('/kiosk.Kiosk/Take'), payload)
  .prepareAndSubmit(local, { backCheck: method('/kiosk.Kiosk/Asked') });
await die();
