/** A message in its frame, as grpc-web sends it. */
function framed(message) {
  const frame = Buffer.alloc(5 + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** Texts as the first fields of a message. None may be longer than 127 bytes. */
export function frame(...texts) {
  const field = (text, at) => [Buffer.from([((at + 1) << 3) | 2, Buffer.byteLength(text)]), Buffer.from(text)];
  return framed(Buffer.concat(texts.flatMap(field)));
}

/** The cookies of an answer, for the next request. */
export function header({ headers }) {
  return (headers["set-cookie"] ?? []).map((cookie) => cookie.split(";")[0]).join("; ");
}
