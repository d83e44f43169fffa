import { connect } from 'node:net';
import { join } from 'node:path';
import type { Context } from '../context.ts';
import type { PortName } from '../ports.ts';
import type { Part } from './part.ts';
import { branchAddress, grpcAddresses } from './service.ts';
import { type ServiceName, serviceNames } from './service-names.ts';

const balanced: readonly ServiceName[] = serviceNames.filter((name) => name !== 'gw');

/** The port of an address `127.0.0.1:30381`. */
const portOf = (address: string) => Number(address.slice(address.lastIndexOf(':') + 1));

/** Resolves when something listens at the port. */
function assertListening(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.setTimeout(2_000, () => socket.destroy(new Error(`port ${port} does not answer`)));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

/**
 * One address for the replicas of each service. DTM knows just one for each branch, so that a saga whose branch names a replica
 * would wait until that very replica is back. In Kubernetes a Service does the same.
 */
export const balancerPart: Part = {
  name: 'balancer',
  title: 'one address for the replicas of each service',
  needs: [],
  ports: balanced.map((name) => `${name}Branches` as PortName),
  readyMs: 30_000,
  graceMs: 5_000,

  command(context: Context) {
    const routes = balanced.map((name) => `${branchAddress(context, name)}=${grpcAddresses(context, name).join(',')}`);
    return { file: process.execPath, args: [join(context.paths.infra, 'src/balancer/main.ts'), ...routes] };
  },

  async check(context) {
    await Promise.all(balanced.map((name) => assertListening(portOf(branchAddress(context, name)))));
  },
};
