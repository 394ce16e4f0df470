import { FactorKind, reasonOf, type Factor } from "@countersign/client";
import { useState } from "preact/hooks";
import { useApp } from "../app-context";
import { dateOf } from "../format";
import type { Texts } from "../texts";
import { Button } from "./action";
import { Confirm } from "./confirm";
import { Field, PasswordField } from "./field";
import { Submit } from "./form";
import { PasskeyIcon, PhoneIcon } from "./icons";
import { ProtectedAction, ProtectedForm } from "./step-up";

export interface FactorListProps {
  /** The name of the list, for screen readers. */
  readonly label: string;
  readonly factors: readonly Factor[];
  /** Whether the account has one factor alone. */
  readonly single: boolean;
  /** Whether it has to keep one. */
  readonly required: boolean;
  readonly rename: (factor: Factor, name: string) => Promise<void>;
  /** `newPassword` is empty unless the present one is too short without a factor. */
  readonly remove: (factor: Factor, newPassword: string) => Promise<void>;
}

/** Factors of the account, and what can be done with them. */
export function FactorList({ label, factors, single, required, rename, remove }: FactorListProps) {
  if (factors.length === 0) return null;
  return (
    <ul class="rows" aria-label={label}>
      {factors.map((factor) => (
        <FactorRow
          key={factor.factorId}
          factor={factor}
          last={single}
          stays={single && required}
          rename={(name) => rename(factor, name)}
          remove={(newPassword) => remove(factor, newPassword)}
        />
      ))}
    </ul>
  );
}

interface FactorRowProps {
  readonly factor: Factor;
  /** Whether the account has no other one. */
  readonly last: boolean;
  /** Whether it cannot be removed. */
  readonly stays: boolean;
  readonly rename: (name: string) => Promise<void>;
  readonly remove: (newPassword: string) => Promise<void>;
}

function FactorRow({ factor, last, stays, rename, remove }: FactorRowProps) {
  const { texts } = useApp();
  const { security: own } = texts;
  const [doing, setDoing] = useState<"rename" | "remove" | "password">();
  const stop = () => setDoing(undefined);
  const isPasskey = factor.kind === FactorKind.PASSKEY;
  const save = async ({ name }: { name: string }) => {
    await rename(name);
    stop();
  };
  const take = async () => {
    try {
      await remove("");
    } catch (error) {
      // The password is too short to protect the account alone.
      if (reasonOf(error) !== "PASSWORD_REJECTED") throw error;
      setDoing("password");
    }
  };
  return (
    <li class="row">
      {isPasskey ? <PasskeyIcon /> : <PhoneIcon />}
      <FactorText factor={factor} stays={stays} />
      {doing === undefined && (
        <div class="buttons">
          <Button label={own.renameApp(factor.name)} onClick={() => setDoing("rename")}>
            {own.rename}
          </Button>
          {!stays && (
            <Button kind="danger-plain" label={own.removeApp(factor.name)} onClick={() => setDoing("remove")}>
              {own.remove}
            </Button>
          )}
        </div>
      )}
      {doing === "rename" && (
        <div class="row-wide">
          <ProtectedForm fields={["name"]} send={save}>
            <Field name="name" autocomplete="off" first={factor.name} focused />
            <div class="buttons">
              <Submit>{own.save}</Submit>
              <Button onClick={stop}>{texts.cancel}</Button>
            </div>
          </ProtectedForm>
        </div>
      )}
      {doing === "remove" && (
        <div class="row-wide">
          <Confirm
            question={own.removeQuestion(factor.name)}
            hints={removalHints(isPasskey, last, own)}
            keep={own.keep}
            cancel={stop}
          >
            <ProtectedAction kind="danger" act={take}>
              {own.remove}
            </ProtectedAction>
          </Confirm>
        </div>
      )}
      {doing === "password" && (
        <div class="row-wide">
          <ProtectedForm fields={["new_password"]} send={({ new_password }) => remove(new_password)}>
            <p>{own.removeShort}</p>
            <PasswordField name="new_password" autocomplete="new-password" hint={texts.hints.newPassword} focused />
            <div class="buttons">
              <Button onClick={stop}>{own.keep}</Button>
              <Submit kind="danger">{own.remove}</Submit>
            </div>
          </ProtectedForm>
        </div>
      )}
    </li>
  );
}

function FactorText({ factor, stays }: Pick<FactorRowProps, "factor" | "stays">) {
  const { name, kind, createTime, lastUseTime } = factor;
  const { texts, format } = useApp();
  const { security: own } = texts;
  const used = lastUseTime && dateOf(lastUseTime);
  return (
    <div class="row-text">
      <h3>
        <bdi>{name}</bdi>
      </h3>
      {kind === FactorKind.PASSKEY && <p class="hint">{keptText(factor, own)}</p>}
      <p class="hint">
        {createTime && <span>{own.addedOn(format.day(dateOf(createTime)))}, </span>}
        {used ? (
          <time dateTime={used.toISOString()} title={format.moment(used)}>
            {own.lastUsed(format.ago(used, new Date()))}
          </time>
        ) : (
          own.neverUsed
        )}
      </p>
      {stays && <p class="hint">{own.stays}</p>}
    </div>
  );
}

/** What happens when a factor is removed. */
function removalHints(isPasskey: boolean, last: boolean, own: Texts["security"]): readonly string[] {
  if (isPasskey) return last ? [own.removePasskey, own.removeLast] : [own.removePasskey];
  return [last ? own.removeLast : own.removeOne];
}

/** Where a passkey is kept. Most are named after their authenticator, which is then not repeated. */
function keptText({ name, authenticator, backupEligible }: Factor, own: Texts["security"]): string {
  const where = backupEligible ? own.canSync : own.cannotSync;
  return authenticator === "" || name.includes(authenticator) ? where : own.keptBy(authenticator, where);
}
