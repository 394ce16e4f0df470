import { useApp } from "../app-context";
import { linkIn, tokenIn } from "../mail-link";
import { Field } from "./field";

/** A mailed proof: the token of the link, or the code and the address it was mailed to. */
export type Proof = { readonly token: string } | { readonly email: string; readonly code: string };

/** The fields of a proof, in their order. */
export const PROOF_FIELDS = ["code", "email"] as const;
type ProofValues = Record<(typeof PROOF_FIELDS)[number], string>;

/** A link needs no address. */
export function optionalBeside({ code }: ProofValues): readonly "email"[] {
  return tokenIn(code) === undefined ? [] : ["email"];
}

/** Fields for the code, or for the link if the person cannot open it, and the address that the code was mailed to. */
export function ProofFields() {
  const { texts, account } = useApp();
  return (
    <>
      <Field name="code" autocomplete="one-time-code" code="digits" hint={texts.hints.code} />
      <Field name="email" type="email" autocomplete="email" first={account.address} hint={texts.hints.codeAddress} />
    </>
  );
}

/** Reads the fields. `undefined` when the link belongs to another page; the person is then led there. */
export function useProof(): (values: ProofValues) => Proof | undefined {
  const { account, navigation, place } = useApp();
  return ({ code, email }) => {
    const link = linkIn(code);
    if (link !== undefined && link.path !== place.path) {
      navigation.go(link.path, { token: link.token, from: place });
      return undefined;
    }
    if (email !== "") account.identifier = email;
    const token = tokenIn(code);
    return token === undefined ? { email, code } : { token };
  };
}
