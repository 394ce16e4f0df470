import type { Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

/**
 * The timeout of a call that sets none, in milliseconds: an answer must not arrive minutes late, when the state has
 * changed. Long enough for three attempts to refresh.
 */
const USUAL_TIMEOUT = 30_000;

/** A grpc-web transport to a Countersign, with its cookies. */
export function grpcWeb(baseUrl: string, interceptors: Interceptor[] = []): Transport {
  return createGrpcWebTransport({
    baseUrl,
    interceptors,
    fetch: (input, init) => fetch(input, { ...init, credentials: "include" }),
  });
}

/** The same transport with a timeout for calls that set none. A stream lasts as long as it is read. */
export function bounded(way: Transport, timeoutMs = USUAL_TIMEOUT): Transport {
  return {
    unary: (method, signal, chosen, ...call) => way.unary(method, signal, chosen ?? timeoutMs, ...call),
    stream: (...call) => way.stream(...call),
  };
}

/** Names the tenant of every call. */
export function toTenant(name: string): Interceptor {
  return (next) => (request) => {
    request.header.set("x-countersign-tenant", name);
    return next(request);
  };
}
