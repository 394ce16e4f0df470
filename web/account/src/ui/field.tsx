import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useApp } from "../app-context";
import { useForm } from "./form";

interface FrameProps {
  readonly name: string;
  readonly hint?: string | undefined;
  readonly optional?: boolean | undefined;
  readonly children: (attributes: InputAttributes) => ComponentChildren;
}

interface InputAttributes {
  readonly id: string;
  readonly name: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": true | undefined;
  readonly "aria-required": true | undefined;
}

/** A label, a hint, and the fault of the field. */
function Frame({ name, hint, optional = false, children }: FrameProps) {
  const { texts } = useApp();
  const { idOf, wrong } = useForm();
  const id = idOf(name);
  const problem = wrong(name);
  const described = [problem && `${id}-wrong`, hint && `${id}-hint`].filter(Boolean).join(" ");
  return (
    <div class={problem ? "field field-wrong" : "field"}>
      <label for={id}>
        {texts.labels[name]}
        {optional && <span class="optional"> ({texts.optional})</span>}
      </label>
      {hint && (
        <p id={`${id}-hint`} class="hint">
          {hint}
        </p>
      )}
      {problem && (
        <p id={`${id}-wrong`} class="wrong">
          {problem}
        </p>
      )}
      {children({
        id,
        name,
        "aria-describedby": described || undefined,
        "aria-invalid": problem ? true : undefined,
        "aria-required": optional ? undefined : true,
      })}
    </div>
  );
}

export interface FieldProps {
  /** The field's name in the proto. */
  readonly name: string;
  readonly type?: "text" | "email";
  readonly autocomplete: string;
  readonly first?: string;
  readonly hint?: string;
  readonly optional?: boolean;
  /** For a code that is typed from somewhere else: of digits alone, or with letters. */
  readonly code?: "digits" | "letters";
  /** Whether an action of the person led to this field: it gets the focus, and its text is selected. */
  readonly focused?: boolean;
  readonly onType?: (text: string) => void;
}

export function Field(field: FieldProps) {
  const { name, type = "text", autocomplete, first = "", hint, optional, code, focused = false, onType } = field;
  // Two elements, because the types of an input differ by its type.
  const kind = type === "email" ? ({ type } as const) : ({ type } as const);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (focused) input.current?.select();
  }, []);
  return (
    <Frame name={name} hint={hint} optional={optional}>
      {(attributes) => (
        <input
          {...attributes}
          {...kind}
          ref={input}
          class={code ? "input input-code" : "input"}
          autocomplete={autocomplete}
          autocapitalize={code === "letters" ? "characters" : autocomplete === "name" ? "words" : "none"}
          autocorrect="off"
          spellcheck={false}
          inputMode={code === "digits" ? "numeric" : undefined}
          defaultValue={first}
          onInput={({ currentTarget }) => onType?.(currentTarget.value)}
        />
      )}
    </Frame>
  );
}

export interface PasswordFieldProps {
  readonly name: string;
  readonly autocomplete: "current-password" | "new-password";
  readonly hint?: string;
  /** Whether an action of the person led to this field: it gets the focus. */
  readonly focused?: boolean;
}

/** A password field: its text can be pasted, filled in by a password manager, and shown. */
export function PasswordField({ name, autocomplete, hint, focused = false }: PasswordFieldProps) {
  const { texts } = useApp();
  const { busy } = useForm();
  const [shown, setShown] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (focused) input.current?.focus();
  }, []);
  useEffect(() => {
    // Hidden again while it is sent, so that the browser offers to store it and nobody else reads it.
    if (busy) setShown(false);
  }, [busy]);
  const kind = shown ? ({ type: "text" } as const) : ({ type: "password" } as const);
  return (
    <Frame name={name} hint={hint}>
      {(attributes) => (
        <div class="secret">
          <input
            {...attributes}
            {...kind}
            ref={input}
            class="input"
            autocomplete={autocomplete}
            autocapitalize="none"
            autocorrect="off"
            spellcheck={false}
          />
          <button
            type="button"
            class="text-button secret-show"
            aria-label={`${shown ? texts.hide : texts.show}: ${texts.labels[name]}`}
            aria-controls={attributes.id}
            onClick={() => setShown(!shown)}
          >
            {shown ? texts.hide : texts.show}
          </button>
        </div>
      )}
    </Frame>
  );
}

/** The account of the password, for password managers. */
export function Owner({ address }: { readonly address: string | undefined }) {
  return <input type="text" name="owner" autocomplete="username" value={address ?? ""} readOnly hidden />;
}

export interface ChoiceProps {
  readonly name: string;
  readonly first: string;
  readonly options: readonly (readonly [value: string, text: string])[];
}

export function Choice({ name, first, options }: ChoiceProps) {
  return (
    <Frame name={name}>
      {(attributes) => (
        <select {...attributes} class="input">
          {options.map(([value, text]) => (
            <option key={value} value={value} selected={value === first} lang={value}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Frame>
  );
}

export interface TickProps {
  readonly ticked: boolean;
  readonly onTick: (ticked: boolean) => void;
  readonly children: string;
}

/** A checkbox that may stay empty. Its state belongs to the page, so that it outlives the form. */
export function Tick({ ticked, onTick, children }: TickProps) {
  return (
    <label class="tick">
      <input type="checkbox" checked={ticked} onChange={({ currentTarget }) => onTick(currentTarget.checked)} />
      <span>{children}</span>
    </label>
  );
}

/** A required checkbox. */
export function Confirmation({ name }: { readonly name: string }) {
  const { texts } = useApp();
  const { idOf, wrong } = useForm();
  const id = idOf(name);
  const problem = wrong(name);
  return (
    <div class={problem ? "field field-wrong" : "field"}>
      {problem && (
        <p id={`${id}-wrong`} class="wrong">
          {problem}
        </p>
      )}
      <label class="tick" for={id}>
        <input
          type="checkbox"
          id={id}
          name={name}
          value="yes"
          aria-required
          aria-invalid={problem ? true : undefined}
          aria-describedby={problem ? `${id}-wrong` : undefined}
        />
        <span>{texts.labels[name]}</span>
      </label>
    </div>
  );
}
