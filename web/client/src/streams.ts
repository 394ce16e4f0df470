import type { StreamRequest, StreamResponse } from "@connectrpc/connect";

type Message = StreamResponse["message"] extends AsyncIterable<infer M> ? M : never;

/** Returns a function that creates `request` again each time: its one message is kept. */
export async function repeatable(request: StreamRequest): Promise<() => StreamRequest> {
  const said: Message[] = [];
  for await (const message of request.message) said.push(message);
  return () => ({ ...request, message: each(said) });
}

/** The same answer, once its first message or its end has arrived. Rejects when the call is refused before. */
export async function begun(answer: StreamResponse): Promise<StreamResponse> {
  const messages = answer.message[Symbol.asyncIterator]();
  const first = await messages.next();
  return { ...answer, message: continued(first, messages) };
}

async function* each(said: Message[]): AsyncGenerator<Message> {
  yield* said;
}

async function* continued(first: IteratorResult<Message>, rest: AsyncIterator<Message>): AsyncGenerator<Message> {
  for (let step = first; step.done !== true; step = await rest.next()) yield step.value;
}
