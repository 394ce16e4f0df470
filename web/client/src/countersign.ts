import type { DescService } from "@bufbuild/protobuf";
import { createClient, type CallOptions, type Client, type Interceptor, type Transport } from "@connectrpc/connect";
import { enrolment, type Enrolment } from "./enrolment.js";
import { AccountService } from "./generated/countersign/v1/account_service_pb.js";
import { FactorService } from "./generated/countersign/v1/factor_service_pb.js";
import { SessionService } from "./generated/countersign/v1/session_service_pb.js";
import { SessionKeeper } from "./keeper.js";
import type { Challenge, Completion, Credentials, LoginProof, LoginResult, PasskeyLogin, Proof, SignedIn } from "./login.js";
import { Passkeys, type PasskeyAdded } from "./passkeys.js";
import { page, type Surroundings } from "./surroundings.js";
import { Tabs, type SessionChange, type Wait } from "./tabs.js";
import { bounded, grpcWeb, toTenant } from "./transport.js";

/** How to reach a Countersign service. */
export interface Options {
  /** The origin of the service, such as `https://id.example.org`, or `/` when it served this page. */
  readonly baseUrl: string;
  /** The tenant whose accounts are meant, where the service has more than one. */
  readonly tenant?: string;
  /** The timeout of a call that sets none, in milliseconds; 30 seconds by default. Streams have no timeout. */
  readonly timeoutMs?: number;
  /** Another transport instead of grpc-web. Interceptors come in their order, the outermost first. */
  readonly transport?: (interceptors: Interceptor[]) => Transport;
  /** Surroundings other than the page. */
  readonly surroundings?: Surroundings;
}

/** A client of one Countersign, shared by all tabs of this origin. Create one for each page. */
export interface Countersign {
  /** The person's account. Calls are repeated and the session is refreshed where that is needed and safe. */
  readonly account: Client<typeof AccountService>;
  /** The devices that are signed in. */
  readonly sessions: Client<typeof SessionService>;
  /** The person's passkeys, authenticator apps and backup codes, and the devices on which none is needed. */
  readonly factors: Client<typeof FactorService>;
  /**
   * A client of another service behind `baseUrl`, such as one that checks these cookies itself. A stream that is
   * refused before its first message is opened again where a refresh helps; the caller opens a stream again that breaks
   * later.
   */
  client<T extends DescService>(service: T): Client<T>;
  /**
   * Opens a session, for all tabs. For an account that has a second factor, or has to get one, it opens none yet: the
   * result has a `challenge`, whose `methods` say how to continue.
   */
  login(credentials: Credentials, options?: CallOptions): Promise<LoginResult>;
  /**
   * Opens the session after a `challenge`, for all tabs. Rejects with CODE_INVALID for a wrong code, and with
   * PASSKEY_INVALID or `NoPasskey` when a passkey was not accepted or there was none: another proof may be tried.
   * After CHALLENGE_INVALID, and when no answer arrived, log in again. With `rememberDevice`, the next logins on this
   * device take the password alone, for `rememberFor` of the challenge.
   */
  completeLogin(proof: LoginProof, options?: Completion): Promise<SignedIn>;
  /**
   * Continues after a `challenge` with the method `EMAIL_CODE`, with the code that was mailed; resolves to the next
   * challenge. Rejects with CODE_INVALID for a wrong code: another try may follow.
   */
  proveEmail(code: string, options?: CallOptions): Promise<Challenge>;
  /** Continues after a `challenge` with the method `ENROL`: adds a factor, which opens the session. */
  readonly enrolment: Enrolment;
  /**
   * Opens a session with a passkey alone, for all tabs. Rejects with PASSKEYS_UNAVAILABLE where the service has none,
   * with `NoPasskey` when no passkey signed, with PASSKEY_INVALID when the service does not accept it, and with
   * CHALLENGE_INVALID when it signed too late.
   */
  loginWithPasskey(login?: PasskeyLogin): Promise<SignedIn>;
  /**
   * Adds a passkey to the account, named after its authenticator unless there is a name. Needs a fresh proof. Rejects
   * with `NoPasskey` when the browser created none.
   */
  addPasskey(passkey?: { readonly name?: string }, options?: CallOptions): Promise<PasskeyAdded>;
  /**
   * Proves again who holds the session, for what asks for a fresh proof; `proofMethodsOf` its error says by what. A
   * text is the password. Rejects with CURRENT_PASSWORD_WRONG, CODE_INVALID or PASSKEY_INVALID for a wrong proof; five
   * of them in a row end the session. Rejects with `NoPasskey` when no passkey signed, and with CHALLENGE_INVALID when
   * it signed too late: call it again.
   */
  reauthenticate(proof: string | Proof, options?: CallOptions): Promise<SignedIn>;
  /**
   * Ends the session, for all tabs; with `everywhere`, on all devices. Rejects when the service could not be reached.
   */
  logout(what?: { everywhere?: boolean }, options?: CallOptions): Promise<void>;
  /**
   * Whether somebody is signed in, as far as this browser knows; `undefined` before the first call. Only the service
   * knows for certain.
   */
  readonly signedIn: boolean | undefined;
  /**
   * Calls `listener` whenever somebody signs in or the session ends, in any tab. Returns a function that stops this.
   */
  onChange(listener: (change: SessionChange) => void): () => void;
  /**
   * Calls `listener` when a call has waited for another tab for a moment, when the call overtakes that tab because it
   * did not give way, and when the wait has ended. Returns a function that stops this.
   */
  onWait(listener: (wait: Wait) => void): () => void;
}

/** Creates a client for a page. Nothing is sent before the first call. */
export function createCountersign(options: Options): Countersign {
  const { baseUrl, tenant, timeoutMs, surroundings = page() } = options;
  const { transport = (interceptors) => grpcWeb(baseUrl, interceptors) } = options;
  const named = tenant === undefined ? [] : [toTenant(tenant)];
  const way = (interceptors: Interceptor[]) => bounded(transport([...interceptors, ...named]), timeoutMs);
  // One for all tenants: they share one set of cookies.
  const tabs = new Tabs(`countersign ${new URL(baseUrl, globalThis.location?.href).origin}`, surroundings);
  const passkeys = new Passkeys(surroundings);
  const keeper = new SessionKeeper(way([]), tabs, surroundings, passkeys);
  const kept = way([keeper.interceptor]);
  const factors = createClient(FactorService, kept);
  return {
    account: createClient(AccountService, kept),
    sessions: createClient(SessionService, kept),
    factors,
    client: (service) => createClient(service, kept),
    login: (credentials, options) => keeper.login(credentials, options),
    completeLogin: (proof, options) => keeper.completeLogin(proof, options),
    proveEmail: (code, options) => keeper.proveEmail(code, options),
    enrolment: enrolment(createClient(FactorService, way([])), keeper, passkeys),
    loginWithPasskey: (login) => keeper.loginWithPasskey(login),
    addPasskey: ({ name = "" } = {}, options) => passkeys.add(factors, name, options),
    reauthenticate: (proof, options) => keeper.reauthenticate(proof, options),
    logout: (what, options) => keeper.logout(what, options),
    get signedIn() {
      return tabs.signedIn;
    },
    onChange: (listener) => tabs.onChange(listener),
    onWait: (listener) => tabs.onWait(listener),
  };
}
