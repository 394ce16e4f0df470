import { passkeyAutofillAvailable, passkeysAvailable, reasonOf } from "@countersign/client";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Button, useDoing } from "./action";
import { PasskeyIcon } from "./icons";
import { FaultNote } from "./note";

/** Signs in with a passkey: by a button, and by the autofill of the field for the user name. */
export function PasskeySignIn() {
  const { texts, countersign, presence } = useApp();
  const [available, setAvailable] = useState(passkeysAvailable);
  const { run, busy, fault } = useDoing(async (signingIn: () => Promise<unknown>) => {
    await signingIn().catch((error: unknown) => {
      if (reasonOf(error) === "PASSKEYS_UNAVAILABLE") setAvailable(false);
      throw error;
    });
    presence.arrive();
  });

  const offer = async (signal: AbortSignal): Promise<void> => {
    let isChosen = false;
    const onChosen = () => {
      isChosen = true;
      void run(() => signingIn);
    };
    const signingIn = countersign.loginWithPasskey({ autofill: true, signal, onChosen });
    try {
      await signingIn;
    } catch (error) {
      // Nobody asked for this, so nobody has to know why it is not there.
      if (reasonOf(error) === "PASSKEYS_UNAVAILABLE") setAvailable(false);
      else if (isChosen && !signal.aborted) await offer(signal);
    }
  };
  useEffect(() => {
    const left = new AbortController();
    if (available) void passkeyAutofillAvailable().then((can) => (can && !left.signal.aborted ? offer(left.signal) : undefined));
    return () => left.abort();
  }, [available]);

  if (!available && fault === undefined) return null;
  return (
    <>
      <p class="or">{texts.signIn.or}</p>
      {available && (
        <Button busy={busy} onClick={() => void run(() => countersign.loginWithPasskey())}>
          <PasskeyIcon size={20} />
          {texts.signIn.passkey}
        </Button>
      )}
      {fault && <FaultNote fault={fault} />}
    </>
  );
}
