/** The fields of an action's form. */
import { useId } from 'preact/hooks';
import { Targets } from './Targets.js';
import type { Field, Values } from './spec.js';

interface Props {
  values: Values;
  onChange: (values: Values) => void;
}

export function Fields({ fields, ...props }: Props & { fields: Field[] }) {
  return (
    <>
      {fields.map((field) => (
        <One key={`${field.kind}${'name' in field ? field.name : ''}`} field={field} {...props} />
      ))}
    </>
  );
}

function One({ field, values, onChange }: Props & { field: Field }) {
  const set = (name: string, value: string | boolean): void => onChange({ ...values, [name]: value });
  switch (field.kind) {
    case 'reason':
      return <Reason field={field} values={values} set={set} />;
    case 'text':
      return <Text field={field} value={String(values[field.name] ?? '')} set={set} />;
    case 'flag':
      return <Flag field={field} isSet={values[field.name] === true} set={set} />;
    case 'choice':
      return <Choice field={field} chosen={values[field.name]} set={set} />;
    case 'target':
      return (
        <Targets
          app={field.app}
          environment={field.environment}
          chosen={values['tag']}
          onChoose={(tag) => set('tag', tag)}
        />
      );
  }
}

type Set = (name: string, value: string | boolean) => void;
type Of<Kind extends Field['kind']> = Extract<Field, { kind: Kind }>;

function Reason({ field, values, set }: { field: Of<'reason'>; values: Values; set: Set }) {
  const id = useId();
  const isNeeded =
    field.required === true || (typeof field.required === 'string' && values[field.required] === true);
  return (
    <p class="field">
      <label for={id}>
        {field.label ?? 'Reason'} {!isNeeded && <span class="hint">(may be left out)</span>}
      </label>
      <textarea
        id={id}
        rows={2}
        maxLength={10_000}
        required={isNeeded}
        value={String(values['reason'] ?? '')}
        onInput={({ currentTarget }) => set('reason', currentTarget.value)}
      />
    </p>
  );
}

function Text({ field, value, set }: { field: Of<'text'>; value: string; set: Set }) {
  const id = useId();
  return (
    <p class="field">
      <label for={id}>{field.label}</label>
      <input
        id={id}
        type="text"
        class="code"
        spellcheck={false}
        autocomplete="off"
        maxLength={128}
        required={field.required}
        aria-describedby={`${id}-hint`}
        value={value}
        onInput={({ currentTarget }) => set(field.name, currentTarget.value)}
      />
      <span class="hint" id={`${id}-hint`}>
        {field.hint}
      </span>
    </p>
  );
}

function Flag({ field, isSet, set }: { field: Of<'flag'>; isSet: boolean; set: Set }) {
  return (
    <p class="field flag">
      <label>
        <input
          type="checkbox"
          checked={isSet}
          onChange={({ currentTarget }) => set(field.name, currentTarget.checked)}
        />
        <span>
          {field.label} <span class="hint">{field.hint}</span>
        </span>
      </label>
    </p>
  );
}

function Choice({
  field,
  chosen,
  set,
}: {
  field: Of<'choice'>;
  chosen: string | boolean | undefined;
  set: Set;
}) {
  const name = useId();
  return (
    <fieldset class="field choices">
      <legend>{field.label}</legend>
      {field.options.map(({ value, label, hint }) => (
        <label key={value}>
          <input
            type="radio"
            name={name}
            checked={chosen === value}
            onChange={() => set(field.name, value)}
          />
          <span>
            {label} {hint && <span class="hint">{hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
