import { portOffset, portsOf, portVariable, replicasOf } from './ports.ts';

describe('ports of an instance', () => {
  it('are those of the contract for the default instance', () => {
    const ports = portsOf('default', {});
    expect(ports).toMatchObject({ mysql: 3306, gwHttp: 8080, stockHttp: 30380, stockGrpc: 30382, dtmMysqlGrpc: 36790 });
  });

  it('are moved below the ephemeral range for the instance of the tests', () => {
    const ports = portsOf('test', {});
    expect(ports).toMatchObject({ mysql: 13_306, gwHttp: 18_080, stockHttp: 20_380, dtmMysqlHttp: 26_789 });
    for (const port of Object.values(ports)) expect(port).toBeLessThan(32_768);
  });

  it('do not clash between the default, the test and some other instance', () => {
    for (const name of ['a', 'h4', 'mine', 'demo', 'load-1']) {
      const all = ['default', 'test', name].flatMap((instance) => Object.values(portsOf(instance, {})));
      expect(new Set(all).size).toBe(all.length);
    }
  });

  it('are the same for the same name', () => {
    expect(portOffset('mine', {})).toBe(portOffset('mine', {}));
  });

  it('can be set one by one', () => {
    expect(portVariable('dtmMysqlHttp')).toBe('ESHOP_PORT_DTM_MYSQL_HTTP');
    expect(portsOf('default', { ESHOP_PORT_STOCK_HTTP: '31380' }).stockHttp).toBe(31_380);
  });

  it('can be moved together', () => {
    expect(portsOf('mine', { ESHOP_PORT_OFFSET: '7' })).toMatchObject({ mysql: 3313, stockHttp: 30_373 });
  });

  it.each(['0', '65536', 'x', '3.5'])('refuse %s, and name the variable', (value) => {
    expect(() => portsOf('default', { ESHOP_PORT_MYSQL: value })).toThrow('ESHOP_PORT_MYSQL');
  });

  it('refuse one port for two parts, and name both', () => {
    expect(() => portsOf('default', { ESHOP_PORT_MYSQL: '6379' })).toThrow(/ESHOP_PORT_MYSQL.*ESHOP_PORT_REDIS.*6379/);
  });
});

describe('replicas of the services', () => {
  it('listen beside the first one', () => {
    expect(portsOf('default', {})).toMatchObject({
      stockBranches: 30_381,
      stock2Http: 30_384,
      stock2Grpc: 30_385,
      stock3Http: 30_387,
      gw2Http: 8084,
    });
  });

  it('are one, unless ESHOP_REPLICAS says how many', () => {
    expect([{}, { ESHOP_REPLICAS: '' }, { ESHOP_REPLICAS: '2' }].map(replicasOf)).toEqual([1, 1, 2]);
  });

  it.each(['0', '4', '1.5', 'two'])('cannot be %s', (value) => {
    expect(() => replicasOf({ ESHOP_REPLICAS: value })).toThrow(/ESHOP_REPLICAS .* from 1 to 3/);
  });
});
