import { useEffect, useRef } from "preact/hooks";
import { useApp } from "../app-context";
import { Action, type ActionProps } from "./action";
import { PasswordField } from "./field";
import { Form, Submit } from "./form";
import { FaultNote } from "./note";

/**
 * A button for what protects the account: when the service needs a fresh proof, it asks for the password and repeats
 * the action.
 */
export function ProtectedAction(props: ActionProps) {
  return (
    <Action
      {...props}
      failed={(fault, again) =>
        fault.reason === "STEP_UP_REQUIRED" ? <FreshProof again={again} /> : <FaultNote fault={fault} />
      }
    />
  );
}

function FreshProof({ again }: { readonly again: () => Promise<void> }) {
  const { texts, errors, countersign } = useApp();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.querySelector("input")?.focus(), []);
  const prove = async ({ password }: Record<"password", string>) => {
    await countersign.reauthenticate(password);
    await again();
  };
  return (
    <div class="step-up" ref={place}>
      <Form fields={["password"]} send={prove}>
        <PasswordField name="password" autocomplete="current-password" hint={errors.reasons.STEP_UP_REQUIRED} />
        <Submit>{texts.stepUp}</Submit>
      </Form>
    </div>
  );
}
