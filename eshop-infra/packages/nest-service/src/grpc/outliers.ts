import { type ChannelOptions, connectivityState, experimental, status } from '@grpc/grpc-js';
import { DETAILS_KEY } from '../errors/status-details.js';

const POLICY = 'nest_service_outliers';
/** A peer that fails again and again is left out for at most this many times `leaveOutMs`. */
const MAX_TIMES = 6;

type Config = experimental.TypedLoadBalancingConfig;
type Picker = experimental.Picker;
type Update = Parameters<experimental.LoadBalancer['updateAddressList']>;
type OnCallEnded = NonNullable<experimental.PickResult['onCallEnded']>;

export interface OutlierSettings {
  /** Calls in a row that failed before a peer is left out. */
  readonly failures: number;
  /** How long it is left out the first time. */
  readonly leaveOutMs: number;
}

/** The service config of a channel that calls all addresses in turn, without those whose calls keep failing. */
export function outlierServiceConfig({ failures, leaveOutMs }: OutlierSettings): string {
  if (!experimental.isLoadBalancerNameRegistered(POLICY)) {
    experimental.registerLoadBalancerType(POLICY, OutlierBalancer, OutlierConfig);
  }
  return JSON.stringify({ loadBalancingConfig: [{ [POLICY]: { failures, leaveOutMs } }] });
}

class OutlierConfig implements Config, OutlierSettings {
  readonly child = experimental.parseLoadBalancingConfig({ round_robin: {} });

  constructor(
    readonly failures: number,
    readonly leaveOutMs: number,
  ) {}

  static createFromJson({ failures, leaveOutMs }: OutlierSettings): OutlierConfig {
    return new OutlierConfig(failures, leaveOutMs);
  }

  getLoadBalancerName(): string {
    return POLICY;
  }

  toJsonObject(): object {
    return { [POLICY]: { failures: this.failures, leaveOutMs: this.leaveOutMs } };
  }
}

/**
 * Round robin that leaves out a peer whose calls end without an answer in time, or with "unavailable" from the peer itself, several
 * times in a row. grpc-js's own `outlier_detection` counts every status but OK, so that "not found" would be a failure, and leaves out
 * the last one, too. Here a peer is left out only while a better one can be reached: a single one never, nor all of them when all fail.
 */
class OutlierBalancer implements experimental.LoadBalancer {
  private readonly peers = new Map<string, Peer>();
  private readonly child: experimental.ChildLoadBalancerHandler;
  private config = new OutlierConfig(1, 0);
  private updates = 0;

  constructor(helper: experimental.ChannelControlHelper) {
    const childHelper = experimental.createChildChannelControlHelper(helper, {
      createSubchannel: (address, options) => {
        const peer = this.peer(experimental.subchannelAddressToString(address));
        return new PeerSubchannel(helper.createSubchannel(address, options), peer);
      },
      updateState: (state, picker, message) => {
        const update = ++this.updates;
        this.reconsider();
        // Who was taken back has caused a newer update meanwhile.
        if (update !== this.updates) return;
        const counting = state === connectivityState.READY ? this.counting(picker) : picker;
        helper.updateState(state, counting, message);
      },
    });
    this.child = new experimental.ChildLoadBalancerHandler(childHelper);
  }

  updateAddressList(...[endpoints, config, options, note]: Update): boolean {
    if (!(config instanceof OutlierConfig)) return false;
    this.config = config;
    const accepted = this.child.updateAddressList(endpoints, config.child, options as ChannelOptions, note);
    if (endpoints.ok) {
      const named = endpoints.value.flatMap(({ addresses }) => addresses.map(experimental.subchannelAddressToString));
      for (const [address, peer] of this.peers) {
        if (named.includes(address)) continue;
        peer.forgive();
        this.peers.delete(address);
      }
      this.reconsider();
    }
    return accepted;
  }

  exitIdle(): void {
    this.child.exitIdle();
  }

  resetBackoff(): void {
    this.child.resetBackoff();
  }

  destroy(): void {
    for (const peer of this.peers.values()) peer.forgive();
    this.peers.clear();
    this.child.destroy();
  }

  getTypeName(): string {
    return POLICY;
  }

  private peer(address: string): Peer {
    const known = this.peers.get(address);
    if (known) return known;
    const peer = new Peer();
    this.peers.set(address, peer);
    return peer;
  }

  /** Leaves out those that fail while another one, which does not, can be reached. When all fail it is not for what they are. */
  private reconsider(): void {
    const peers = [...this.peers.values()];
    const better = peers.some((peer) => !peer.isFailing && peer.isReachable);
    for (const peer of peers) {
      if (peer.isFailing && !better) peer.forgive();
      peer.leaveOut(peer.isFailing);
    }
  }

  private counting(picker: Picker): Picker {
    return {
      pick: (args) => {
        const picked = picker.pick(args);
        if (picked.pickResultType !== experimental.PickResultType.COMPLETE) return picked;
        const { subchannel, onCallEnded } = picked;
        if (!(subchannel instanceof PeerSubchannel)) return picked;
        const { peer } = subchannel;
        const ended: OnCallEnded = (code, details, metadata) => {
          onCallEnded?.(code, details, metadata);
          if (code === status.DEADLINE_EXCEEDED) this.failed(peer);
          // A connection that ended says nothing: whether there is a new one is what counts. Nor does a call that was cancelled.
          else if (code === status.UNAVAILABLE) metadata.get(DETAILS_KEY).length > 0 && this.failed(peer);
          else if (code !== status.CANCELLED) this.answered(peer);
        };
        return { ...picked, subchannel: subchannel.wrapped, onCallEnded: ended };
      },
    };
  }

  private failed(peer: Peer): void {
    if (!peer.fail(this.config, () => this.reconsider())) return;
    this.reconsider();
  }

  private answered(peer: Peer): void {
    const failing = peer.isFailing;
    peer.forgive();
    if (failing) this.reconsider();
  }
}

/** One address. */
class Peer {
  readonly subchannels = new Set<PeerSubchannel>();
  isLeftOut = false;
  private failures = 0;
  /** How often it has failed so without an answer between. */
  private times = 0;
  private timer: NodeJS.Timeout | undefined;

  get isFailing(): boolean {
    return this.timer !== undefined;
  }

  /** Connected, or likely to be in a moment: a connection that ends is replaced at once. */
  get isReachable(): boolean {
    return [...this.subchannels].some((each) => each.getConnectivityState() !== connectivityState.TRANSIENT_FAILURE);
  }

  /** @returns whether it is one to leave out from now on, until `again` is called */
  fail({ failures, leaveOutMs }: OutlierSettings, again: () => void): boolean {
    if (this.isFailing || ++this.failures < failures) return false;
    this.times = Math.min(this.times + 1, MAX_TIMES);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      // The next failure is enough.
      this.failures = failures - 1;
      again();
    }, leaveOutMs * this.times);
    this.timer.unref();
    return true;
  }

  forgive(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.failures = 0;
    this.times = 0;
  }

  leaveOut(leftOut: boolean): void {
    this.isLeftOut = leftOut;
    for (const each of this.subchannels) each.showHealth();
  }
}

/** A connection to a peer, or the attempt at one. Round robin passes over the unhealthy ones. */
class PeerSubchannel extends experimental.BaseSubchannelWrapper {
  constructor(
    readonly wrapped: experimental.SubchannelInterface,
    readonly peer: Peer,
  ) {
    super(wrapped);
    peer.subchannels.add(this);
    this.showHealth();
  }

  showHealth(): void {
    this.setHealthy(!this.peer.isLeftOut);
  }

  protected override destroy(): void {
    super.destroy();
    this.peer.subchannels.delete(this);
  }
}
