import type { Account, Factor } from "@countersign/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import type { Texts } from "../texts";
import { AddApp } from "../ui/add-app";
import { Button, useDoing } from "../ui/action";
import { BackupCodes } from "../ui/backup-codes";
import { Confirm } from "../ui/confirm";
import { FactorRow } from "../ui/factors";
import { AccountFrame, Loading, WithAccount } from "../ui/frame";
import { Note } from "../ui/note";
import { ProtectedAction } from "../ui/step-up";

/** The number of backup codes from which on the person should make new ones. */
const FEW_CODES = 3;

interface Listed {
  readonly factors: readonly Factor[];
  readonly backupCodesLeft: number;
}

/** What the person does now; backup codes are shown until they are stored. */
type Step = { readonly at: "list" | "adding" } | { readonly at: "codes"; readonly codes: readonly string[] };

/** What was done, in the language at the time it is shown. */
type Result = (texts: Texts["security"]) => string;

export function SecurityPage() {
  const { texts } = useApp();
  return (
    <AccountFrame title={texts.security.title}>
      <WithAccount>{(account) => <SecondStep account={account} />}</WithAccount>
    </AccountFrame>
  );
}

function SecondStep({ account: { accountId } }: { readonly account: Account }) {
  const { texts, countersign, announce } = useApp();
  const { security: own } = texts;
  const [listed, setListed] = useState<Listed>();
  const [step, setStep] = useState<Step>({ at: "list" });
  const [result, setResult] = useState<{ readonly say: Result }>();
  const heading = useRef<HTMLHeadingElement>(null);
  const load = useDoing(async () => setListed(await countersign.factors.listFactors({})));
  useEffect(() => void load.run(), [accountId]);

  /** Shows the list again, and what was done. The pressed button no longer exists. */
  const back = async (say?: Result) => {
    setStep({ at: "list" });
    setResult(say && { say });
    if (say) announce(say(own));
    await load.run();
    heading.current?.focus();
  };
  const begin = (next: Step) => {
    setResult(undefined);
    setStep(next);
  };
  const added = (name: string, codes: readonly string[]) =>
    codes.length > 0 ? begin({ at: "codes", codes }) : void back((texts) => texts.added(name));
  const rename = async ({ factorId }: Factor, name: string) => {
    await countersign.factors.renameFactor({ factorId, name });
    await back((texts) => texts.renamed);
  };
  const remove = async ({ factorId, name }: Factor) => {
    await countersign.factors.removeFactor({ factorId });
    await back((texts) => texts.removed(name));
  };
  const regenerate = async () => {
    const { backupCodes } = await countersign.factors.regenerateBackupCodes({});
    begin({ at: "codes", codes: backupCodes });
  };

  if (step.at === "codes") return <BackupCodes codes={step.codes} stored={() => void back((texts) => texts.stored)} />;
  if (listed === undefined || load.fault) {
    return <Loading busy={load.busy} fault={load.fault} again={() => void load.run()} />;
  }
  const { factors, backupCodesLeft } = listed;
  const isOn = factors.length > 0;
  if (step.at === "adding") {
    return <AddApp name={isOn ? "" : own.firstName} added={added} cancel={() => void back()} />;
  }
  return (
    <>
      {result && <Note tone="good">{result.say(own)}</Note>}
      <section class="card">
        <h2 ref={heading} tabIndex={-1}>
          {own.twoStep} <span class={isOn ? "badge" : "badge badge-off"}>{isOn ? own.on : own.off}</span>
        </h2>
        <p>{own.lead}</p>
        {isOn && (
          <ul class="rows" aria-label={own.list}>
            {factors.map((factor) => (
              <FactorRow
                key={factor.factorId}
                factor={factor}
                last={factors.length === 1}
                rename={(name) => rename(factor, name)}
                remove={() => remove(factor)}
              />
            ))}
          </ul>
        )}
        <div class="buttons">
          <Button kind={isOn ? "plain" : "main"} onClick={() => begin({ at: "adding" })}>
            {isOn ? own.addAnother : own.add}
          </Button>
        </div>
      </section>
      {isOn && <BackupCodesLeft left={backupCodesLeft} regenerate={regenerate} />}
    </>
  );
}

interface BackupCodesLeftProps {
  readonly left: number;
  readonly regenerate: () => Promise<void>;
}

function BackupCodesLeft({ left, regenerate }: BackupCodesLeftProps) {
  const { texts } = useApp();
  const { backupCodes: own } = texts;
  const [asking, setAsking] = useState(false);
  return (
    <section class="card">
      <h2>{own.title}</h2>
      <p>{own.left(left)}</p>
      {left <= FEW_CODES && <Note tone="bad">{own.few}</Note>}
      {asking ? (
        <Confirm question={own.question} hint={own.replaces} keep={own.keep} cancel={() => setAsking(false)}>
          <ProtectedAction kind="danger" act={regenerate}>
            {own.regenerate}
          </ProtectedAction>
        </Confirm>
      ) : (
        <div class="buttons">
          <Button onClick={() => setAsking(true)}>{own.regenerate}</Button>
        </div>
      )}
    </section>
  );
}
