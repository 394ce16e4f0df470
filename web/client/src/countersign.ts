import type { DescService } from "@bufbuild/protobuf";
import { createClient, type CallOptions, type Client, type Interceptor, type Transport } from "@connectrpc/connect";
import { AccountService } from "./generated/countersign/v1/account_service_pb.js";
import { SessionService } from "./generated/countersign/v1/session_service_pb.js";
import { SessionKeeper, type Credentials, type SignedIn } from "./keeper.js";
import { page, type Surroundings } from "./surroundings.js";
import { Tabs, type SessionChange, type Wait } from "./tabs.js";
import { bounded, grpcWeb, toTenant } from "./transport.js";

/** How a Countersign is reached. */
export interface Options {
  /** The origin of the service, such as `https://id.example.org`, or `/` when it served this page. */
  readonly baseUrl: string;
  /** Whose accounts are meant, where the service has more than one tenant. */
  readonly tenant?: string;
  /** How long a call may take, in milliseconds, unless it says otherwise; 30 seconds when absent. Streams may take any time. */
  readonly timeoutMs?: number;
  /** Another way to the service than grpc-web. Interceptors come in their order, the outermost first. */
  readonly transport?: (interceptors: Interceptor[]) => Transport;
  /** Other surroundings than the page's. */
  readonly surroundings?: Surroundings;
}

/** One Countersign, for all tabs of this origin. Make one for each page. */
export interface Countersign {
  /** The person's account. Calls are repeated and the session is refreshed where that is needed and safe. */
  readonly account: Client<typeof AccountService>;
  /** The devices that are signed in. */
  readonly sessions: Client<typeof SessionService>;
  /**
   * Calls of another service behind `baseUrl`, such as one that checks these cookies itself. A stream that is refused before its
   * first message is opened again where a refresh helps; one that breaks later is the caller's to open again.
   */
  client<T extends DescService>(service: T): Client<T>;
  /** Opens a session, for all tabs. */
  login(credentials: Credentials, options?: CallOptions): Promise<SignedIn>;
  /** Ends the session, for all tabs; with `everywhere`, on all devices. Rejects when the service could not be asked. */
  logout(what?: { everywhere?: boolean }, options?: CallOptions): Promise<void>;
  /** What this browser heard last; `undefined` before the first call. Only the service knows for certain. */
  readonly signedIn: boolean | undefined;
  /** Calls `listener` whenever somebody signed in or the session ended, in this tab or another. Returns what ends that. */
  onChange(listener: (change: SessionChange) => void): () => void;
  /**
   * Calls `listener` when a call waits for another tab for longer than a moment, when it goes on without that tab because it did not
   * give way, and when the wait is over. Returns what ends that.
   */
  onWait(listener: (wait: Wait) => void): () => void;
}

/** Connects a page with a Countersign. Nothing is sent before the first call. */
export function createCountersign(options: Options): Countersign {
  const { baseUrl, tenant, timeoutMs, surroundings = page() } = options;
  const { transport = (interceptors) => grpcWeb(baseUrl, interceptors) } = options;
  const named = tenant === undefined ? [] : [toTenant(tenant)];
  const way = (interceptors: Interceptor[]) => bounded(transport([...interceptors, ...named]), timeoutMs);
  // Not one for each tenant: there is one set of cookies.
  const tabs = new Tabs(`countersign ${new URL(baseUrl, globalThis.location?.href).origin}`, surroundings);
  const keeper = new SessionKeeper(way([]), tabs, surroundings);
  const kept = way([keeper.interceptor]);
  return {
    account: createClient(AccountService, kept),
    sessions: createClient(SessionService, kept),
    client: (service) => createClient(service, kept),
    login: (credentials, options) => keeper.login(credentials, options),
    logout: (what, options) => keeper.logout(what, options),
    get signedIn() {
      return tabs.signedIn;
    },
    onChange: (listener) => tabs.onChange(listener),
    onWait: (listener) => tabs.onWait(listener),
  };
}
