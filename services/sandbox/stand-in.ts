/** A server of the sandbox that listens on loopback until it is disposed of. */
export interface StandIn extends AsyncDisposable {
  /** Scheme, host and port, without a slash at the end. */
  readonly url: string;
  readonly port: number;
}
