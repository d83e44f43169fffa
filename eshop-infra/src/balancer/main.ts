import { addressOf, Balancer } from './balancer.ts';

/** `node main.ts 127.0.0.1:30381=127.0.0.1:30382,127.0.0.1:30385 …`: an address, and the replicas behind it. */
await Promise.all(
  process.argv.slice(2).map((route) => {
    const [address = '', replicas = ''] = route.split('=');
    return new Balancer(replicas.split(',').map(addressOf)).listen(addressOf(address));
  }),
);
