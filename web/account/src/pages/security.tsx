import {
  FactorKind,
  passkeysAvailable,
  reasonOf,
  type Account,
  type Factor,
  type RememberedDevice,
} from "@countersign/client";
import { useEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { nameOf } from "../device";
import type { Texts } from "../texts";
import { AddApp } from "../ui/add-app";
import { Button, useDoing } from "../ui/action";
import { BackupCodes } from "../ui/backup-codes";
import { Confirm } from "../ui/confirm";
import { FactorList } from "../ui/factors";
import { AccountFrame, Loading, WithAccount } from "../ui/frame";
import { Note } from "../ui/note";
import { RememberedDevices } from "../ui/remembered-devices";
import { ProtectedAction } from "../ui/step-up";

/** The number of backup codes from which on the person should make new ones. */
const FEW_CODES = 3;

interface Listed {
  readonly factors: readonly Factor[];
  readonly backupCodesLeft: number;
  /** Whether the last factor has to stay. */
  readonly required: boolean;
  readonly devices: readonly RememberedDevice[];
}

/** The headings that get the focus: those of the factors of a kind, and of the remembered devices. */
type Headed = FactorKind | "devices";

/** What the person does now; backup codes are shown until they are stored, and then the factors of a kind. */
type Step =
  | { readonly at: "list" | "adding" }
  | { readonly at: "codes"; readonly codes: readonly string[]; readonly kind: FactorKind };

/** What was done, in the language at the time it is shown. */
type Result = (texts: Texts) => string;

export function SecurityPage() {
  const { texts } = useApp();
  return (
    <AccountFrame title={texts.security.title}>
      <WithAccount>{(account) => <Factors account={account} />}</WithAccount>
    </AccountFrame>
  );
}

function Factors({ account: { accountId } }: { readonly account: Account }) {
  const { texts, countersign, announce } = useApp();
  const { security: own } = texts;
  const [listed, setListed] = useState<Listed>();
  const [step, setStep] = useState<Step>({ at: "list" });
  const [result, setResult] = useState<{ readonly say: Result }>();
  const headings = useRef<Partial<Record<Headed, HTMLElement | null>>>({});
  const load = useDoing(async () => {
    const { factors } = countersign;
    const [factorList, { devices }] = await Promise.all([factors.listFactors({}), factors.listRememberedDevices({})]);
    setListed({ ...factorList, devices });
  });
  useEffect(() => void load.run(), [accountId]);

  /** Shows the list again, and what was done. The pressed button no longer exists. */
  const back = async (headed: Headed, say?: Result) => {
    setStep({ at: "list" });
    setResult(say && { say });
    if (say) announce(say(texts));
    await load.run();
    // The card of the devices is gone with the last one.
    (headings.current[headed] ?? headings.current[FactorKind.TOTP])?.focus();
  };
  const begin = (next: Step) => {
    setResult(undefined);
    setStep(next);
  };
  const added = (kind: FactorKind, name: string, codes: readonly string[]) =>
    codes.length > 0 ? begin({ at: "codes", codes, kind }) : void back(kind, ({ security }) => security.added(name));
  const addPasskey = async () => {
    setResult(undefined);
    const { factor, backupCodes } = await countersign.addPasskey();
    added(FactorKind.PASSKEY, factor?.name ?? "", backupCodes);
  };
  const rename = async ({ factorId, kind }: Factor, name: string) => {
    await countersign.factors.renameFactor({ factorId, name });
    await back(kind, ({ security }) => security.renamed);
  };
  const remove = async ({ factorId, kind, name }: Factor, newPassword: string) => {
    await countersign.factors.removeFactor({ factorId, newPassword });
    await back(kind, ({ security }) => security.removed(name));
  };
  const forget = async (device: RememberedDevice) => {
    await countersign.factors.forgetDevice({ deviceId: device.deviceId }).catch(expectGone);
    await back("devices", (texts) => texts.rememberedDevices.forgotten(nameOf(device, texts)));
  };
  const regenerate = async () => {
    const { backupCodes } = await countersign.factors.regenerateBackupCodes({});
    begin({ at: "codes", codes: backupCodes, kind: FactorKind.TOTP });
  };

  if (step.at === "codes") {
    return <BackupCodes codes={step.codes} stored={() => void back(step.kind, ({ security }) => security.stored)} />;
  }
  if (listed === undefined || load.fault) {
    return <Loading busy={load.busy} fault={load.fault} again={() => void load.run()} />;
  }
  const { factors, backupCodesLeft, required, devices } = listed;
  const isOn = factors.length > 0;
  const [passkeys, apps] = [FactorKind.PASSKEY, FactorKind.TOTP].map((kind) => factors.filter((each) => each.kind === kind));
  if (step.at === "adding") {
    const name = apps?.length ? "" : own.firstName;
    const cancel = () => void back(FactorKind.TOTP);
    const app = {
      start: (name: string) => countersign.factors.startTotp({ name }),
      confirm: async (factorId: string, code: string) =>
        (await countersign.factors.confirmTotp({ factorId, code })).backupCodes,
    };
    return <AddApp name={name} {...app} added={(name, codes) => added(FactorKind.TOTP, name, codes)} cancel={cancel} />;
  }
  const list = { single: factors.length === 1, required, rename, remove };
  const headingOf = (headed: Headed) => (element: HTMLElement | null) => void (headings.current[headed] = element);
  const canAddPasskeys = passkeysAvailable();
  return (
    <>
      {result && <Note tone="good">{result.say(texts)}</Note>}
      {(canAddPasskeys || passkeys?.length) && (
        <section class="card">
          <h2 ref={headingOf(FactorKind.PASSKEY)} tabIndex={-1}>
            {own.passkeys}
          </h2>
          <p>{own.passkeysLead}</p>
          <FactorList label={own.passkeyList} factors={passkeys ?? []} {...list} />
          {canAddPasskeys ? (
            <div class="buttons">
              <ProtectedAction kind={isOn ? "plain" : "main"} act={addPasskey}>
                {passkeys?.length ? own.addAnotherPasskey : own.addPasskey}
              </ProtectedAction>
            </div>
          ) : (
            <p class="hint">{own.noPasskeysHere}</p>
          )}
        </section>
      )}
      <section class="card">
        <h2 ref={headingOf(FactorKind.TOTP)} tabIndex={-1}>
          {own.twoStep} <span class={isOn ? "badge" : "badge badge-off"}>{isOn ? own.on : own.off}</span>
        </h2>
        <p>{own.lead}</p>
        <FactorList label={own.list} factors={apps ?? []} {...list} />
        <div class="buttons">
          <Button kind={isOn || canAddPasskeys ? "plain" : "main"} onClick={() => begin({ at: "adding" })}>
            {apps?.length ? own.addAnother : own.add}
          </Button>
        </div>
      </section>
      {devices.length > 0 && <RememberedDevices devices={devices} heading={headingOf("devices")} forget={forget} />}
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
        <Confirm question={own.question} hints={[own.replaces]} keep={own.keep} cancel={() => setAsking(false)}>
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

/** The device was forgotten already, which is as good. */
function expectGone(error: unknown): void {
  if (reasonOf(error) !== "DEVICE_NOT_FOUND") throw error;
}
