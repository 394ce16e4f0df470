import { passkeysAvailable, reasonOf } from "@countersign/client";
import { useEffect, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { Action, Button } from "./action";
import { AddApp } from "./add-app";
import { BackupCodes } from "./backup-codes";
import { PasskeyIcon, PhoneIcon } from "./icons";
import { inLogin, LoginStep, type LoginStepProps } from "./login-step";

/** Adds the factor that the login waits for. The backup codes are shown before anything else. */
export function EnrolStep({ challenge, end }: LoginStepProps) {
  const { texts, countersign, presence } = useApp();
  const { enrol: own } = texts;
  const [adding, setAdding] = useState(false);
  const [codes, setCodes] = useState<readonly string[]>();
  const [takesPasskeys, setTakesPasskeys] = useState(passkeysAvailable);
  // The session opens with the factor, before the person has stored the codes.
  const [leave] = useState(() => presence.stay());
  useEffect(() => leave, []);

  const addPasskey = async () => {
    const added = countersign.enrolment.addPasskey().catch((error: unknown) => {
      if (reasonOf(error) === "PASSKEYS_UNAVAILABLE") setTakesPasskeys(false);
      throw error;
    });
    const enrolled = await inLogin(end, () => added);
    if (enrolled) setCodes(enrolled.backupCodes);
  };
  const app = {
    start: (name: string) => inLogin(end, () => countersign.enrolment.startApp(name)),
    confirm: (factorId: string, code: string) =>
      inLogin(end, async () => (await countersign.enrolment.confirmApp({ factorId, code })).backupCodes),
  };

  if (codes) return <BackupCodes codes={codes} stored={leave} />;
  return (
    <LoginStep challenge={challenge} end={end} lead={own.lead}>
      {adding ? (
        <AddApp name={texts.security.firstName} {...app} added={(_, codes) => setCodes(codes)} cancel={() => setAdding(false)} />
      ) : (
        <div class="choices">
          {takesPasskeys && (
            <>
              <p class="hint">{texts.security.passkeysLead}</p>
              <Action kind="main" act={addPasskey}>
                <PasskeyIcon size={20} />
                {texts.security.addPasskey}
              </Action>
              <p class="or">{texts.signIn.or}</p>
            </>
          )}
          <p class="hint">{texts.addApp.lead}</p>
          <Button kind={takesPasskeys ? "plain" : "main"} onClick={() => setAdding(true)}>
            <PhoneIcon size={20} />
            {texts.security.add}
          </Button>
        </div>
      )}
    </LoginStep>
  );
}
