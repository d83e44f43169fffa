import { loadDtm } from './dtm.ts';
import { dtmText } from './report.ts';

const dtmUrl = process.env.TEST_DTM_HTTP ?? 'http://127.0.0.1:36789';

it('finishes sagas that call nobody and says how many a second', async () => {
  const report = await loadDtm({ dtmUrl, processes: [] }, { clients: 2, seconds: 30, count: 6 });
  expect(report).toMatchObject({ finished: 6, errors: {} });
  expect(report.finishedPerSecond).toBeCloseTo(6 / report.seconds);
  expect(dtmText(report)).toMatch(/finished 6, /);
});
