import { proofMethodsOf, type FactorMethod, type Proof, type ProofMethod } from "@countersign/client";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import type { Fault } from "../faults";
import { Action, type ActionProps } from "./action";
import { PasswordField } from "./field";
import { Form, Submit, type FormProps } from "./form";
import { FaultNote } from "./note";
import { SecondFactor } from "./second-factor";

/**
 * A button for what protects the account: when the service needs a fresh proof, it asks for one and repeats the action.
 */
export function ProtectedAction(props: ActionProps) {
  return <Action {...props} failed={(fault, again) => proofFor(fault, again) ?? <FaultNote fault={fault} />} />;
}

/** A form for what protects the account: it is sent again after a fresh proof. */
export function ProtectedForm<N extends string>(props: FormProps<N>) {
  return <Form {...props} failed={proofFor} />;
}

function proofFor(fault: Fault, again: () => Promise<void>): ComponentChildren {
  return fault.reason === "STEP_UP_REQUIRED" ? <FreshProof methods={fault.proofs} again={again} /> : undefined;
}

interface FreshProofProps {
  readonly methods: readonly ProofMethod[];
  readonly again: () => Promise<void>;
}

/** Asks for a second factor where the account has one, and otherwise for the password. */
function FreshProof({ methods: named, again }: FreshProofProps) {
  const { texts, errors, countersign } = useApp();
  const [methods, setMethods] = useState(named);
  const factors = methods.filter((method): method is FactorMethod => method !== "PASSWORD");
  const prove = async (proof: Proof) => {
    try {
      await countersign.reauthenticate(proof);
    } catch (error) {
      // The account has got its first factor, or lost its last one, since the action was refused.
      const now = proofMethodsOf(error);
      if (now.length === 0) throw error;
      setMethods(now);
      return;
    }
    await again();
  };
  return (
    <div class="step-up">
      {factors.length > 0 ? (
        <>
          <p class="hint">{errors.reasons.STEP_UP_REQUIRED}</p>
          <SecondFactor methods={factors} action={texts.stepUp.action} send={prove} />
        </>
      ) : (
        <PasswordProof send={prove} />
      )}
    </div>
  );
}

function PasswordProof({ send }: { readonly send: (proof: Proof) => Promise<void> }) {
  const { texts } = useApp();
  return (
    <Form fields={["password"]} send={send}>
      <PasswordField name="password" autocomplete="current-password" hint={texts.stepUp.password} focused />
      <Submit>{texts.stepUp.action}</Submit>
    </Form>
  );
}
