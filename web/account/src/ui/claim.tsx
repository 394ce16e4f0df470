import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import type { Texts } from "../texts";
import { Button, useDoing } from "./action";
import { Done } from "./done";
import { Form, Submit } from "./form";
import { Sheet } from "./frame";
import { Mailed } from "./mailed";
import { FaultNote } from "./note";
import { optionalBeside, PROOF_FIELDS, ProofFields, useProof, type Proof } from "./proof";
import { WayOn } from "./way-on";

/** The result of using a proof. */
export interface Outcome {
  /** The text for the person, a paragraph each, in the language at the time it is shown. */
  readonly say: (texts: Texts) => readonly string[];
  /** The step that remains, if any. */
  readonly to: "reset" | undefined;
}

export interface ClaimProps {
  readonly texts: Readonly<Record<"title" | "withLink" | "action" | "withCode" | "done" | "doneText", string>>;
  /** Uses the proof. Without an outcome, the page shows `doneText`. */
  readonly act: (proof: Proof) => Promise<Outcome | undefined>;
  /** Other ways for a person without a valid link. */
  readonly children?: ComponentChildren;
}

/**
 * Uses a mailed proof. Nothing happens before the button is pressed: mail scanners open links, and some run scripts
 * there.
 */
export function Claim({ texts: own, act, children }: ClaimProps) {
  const { place, texts, countersign } = useApp();
  const read = useProof();
  const [way, setWay] = useState<"link" | "code" | "done">(place.token === undefined ? "code" : "link");
  const [outcome, setOutcome] = useState<Outcome>();
  const use = async (proof: Proof) => {
    setOutcome(await act(proof));
    setWay("done");
  };
  const link = useDoing(use);
  if (way === "done") {
    const [text = own.doneText, ...more] = outcome?.say(texts) ?? [];
    return <Done title={own.done} text={text} more={more} to={outcome?.to ?? (countersign.signedIn ? "account" : "signIn")} />;
  }
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
        <WayOn />
      </Sheet>
    );
  }
  return (
    <Sheet title={own.title} moved={token !== undefined}>
      <Mailed otherwise={own.withCode} />
      <Form
        fields={PROOF_FIELDS}
        optional={optionalBeside}
        send={async (values) => {
          const proof = read(values);
          if (proof) await use(proof);
        }}
      >
        <ProofFields />
        <Submit>{own.action}</Submit>
      </Form>
      {children}
      <WayOn />
    </Sheet>
  );
}
