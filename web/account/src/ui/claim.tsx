import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Button, useDoing } from "./action";
import { Done } from "./done";
import { Field } from "./field";
import { Form, Submit } from "./form";
import { Sheet } from "./frame";
import { Mailed } from "./mailed";
import { FaultNote } from "./note";

/** What was mailed: the token of the link, or the code and the address it was mailed to. */
export type Proof = { readonly token: string } | { readonly email: string; readonly code: string };

export interface ClaimProps {
  readonly texts: Readonly<Record<"title" | "withLink" | "action" | "withCode" | "done" | "doneText", string>>;
  readonly act: (proof: Proof) => Promise<unknown>;
  /** What else there is to do without a link that works. */
  readonly children?: ComponentChildren;
}

/**
 * Uses what was mailed. Nothing happens before the button is pressed: mail scanners open links, and some run what they find
 * there.
 */
export function Claim({ texts: own, act, children }: ClaimProps) {
  const { place, account, texts, countersign } = useApp();
  const [way, setWay] = useState<"link" | "code" | "done">(place.token === undefined ? "code" : "link");
  const use = async (proof: Proof) => {
    await act(proof);
    setWay("done");
  };
  const link = useDoing(use);
  if (way === "done") return <Done title={own.done} text={own.doneText} to={countersign.signedIn ? "account" : "signIn"} />;
  const { token } = place;
  if (way === "link" && token !== undefined) {
    return (
      <Sheet title={own.title}>
        <p class="lead">{own.withLink}</p>
        <Button kind="main" busy={link.busy} onClick={() => void link.run({ token })}>
          {own.action}
        </Button>
        {link.fault && <FaultNote fault={link.fault} />}
        <button type="button" class="text-button" onClick={() => setWay("code")}>
          {texts.verify.insteadCode}
        </button>
        {link.fault && children}
      </Sheet>
    );
  }
  return (
    <Sheet title={own.title} moved={token !== undefined}>
      <Mailed otherwise={own.withCode} />
      <Form
        fields={["email", "code"]}
        send={({ email, code }) => {
          account.identifier = email;
          return use({ email, code });
        }}
      >
        <Field name="email" type="email" autocomplete="email" first={account.address} />
        <Field name="code" autocomplete="one-time-code" digits hint={texts.hints.code} />
        <Submit>{own.action}</Submit>
      </Form>
      {children}
    </Sheet>
  );
}
