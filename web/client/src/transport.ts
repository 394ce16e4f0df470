import type { Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";

/**
 * How long a call may take, in milliseconds, unless it says otherwise: no answer comes minutes late, when what it is about has
 * changed. Three attempts to refresh fit in.
 */
const USUAL_TIMEOUT = 30_000;

/** grpc-web to a Countersign, with its cookies. */
export function grpcWeb(baseUrl: string, interceptors: Interceptor[] = []): Transport {
  return createGrpcWebTransport({
    baseUrl,
    interceptors,
    fetch: (input, init) => fetch(input, { ...init, credentials: "include" }),
  });
}

/** The same way, on which a call is given up after `timeoutMs` unless it says otherwise. A stream lasts as long as it is read. */
export function bounded(way: Transport, timeoutMs = USUAL_TIMEOUT): Transport {
  return {
    unary: (method, signal, chosen, ...call) => way.unary(method, signal, chosen ?? timeoutMs, ...call),
    stream: (...call) => way.stream(...call),
  };
}

/** Says whose accounts are meant. */
export function toTenant(name: string): Interceptor {
  return (next) => (request) => {
    request.header.set("x-countersign-tenant", name);
    return next(request);
  };
}
