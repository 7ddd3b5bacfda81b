/** Asks for what an action needs, shows what it would do, does it, and says in plain words what went wrong. */
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { ask, asProblem, type Problem } from '../live/api.js';
import { go } from '../live/router.js';
import { announce, useStore } from '../live/store.js';
import { stopped } from '../model/words.js';
import { SignIn } from '../parts/SignIn.js';
import { Trouble } from '../parts/Trouble.js';
import { Fields } from './Fields.js';
import { openAction, useOpened } from './open.js';
import { Plan } from './Plan.js';
import type { Action, Values } from './spec.js';
import { isFilled } from './spec.js';

export function Dialog() {
  const action = useOpened();
  return action ? <Open key={action.title} action={action} /> : null;
}

const valuesOf = ({ fields }: Action): Values =>
  Object.fromEntries(
    fields.flatMap((field) => (field.kind === 'text' && field.value ? [[field.name, field.value]] : [])),
  );

function Open({ action }: { action: Action }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState(() => valuesOf(action));
  const title = useId();
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    return () => opener instanceof HTMLElement && opener.focus();
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={title}
      onClose={() => openAction(undefined)}
      onClick={({ target }) => target === dialog.current && dialog.current?.close()}
    >
      <div class="sheet">
        <h2 id={title}>{action.title}</h2>
        {action.refused ? (
          <Refused why={action.refused} />
        ) : (
          <Form action={action} values={values} onChange={setValues} close={() => dialog.current?.close()} />
        )}
      </div>
    </dialog>
  );
}

function Refused({ why }: { why: string }) {
  const me = useStore((state) => state.me);
  return (
    <form method="dialog">
      <p>{stopped(why)}</p>
      <p class="buttons">
        {!me?.login && <SignIn look="main" />}
        <button>Close</button>
      </p>
    </form>
  );
}

interface FormProps {
  action: Action;
  values: Values;
  onChange: (values: Values) => void;
  close: () => void;
}

function Form({ action, values, onChange, close }: FormProps) {
  const csrf = useStore((state) => state.me?.csrf);
  // One key for all attempts: sending again what seemed lost does not do it twice.
  const [key, setKey] = useState(() => crypto.randomUUID());
  const [problem, setProblem] = useState<Problem>();
  const [isSending, setSending] = useState(false);
  const [isPlanSeen, setPlanSeen] = useState(!action.plan);
  const isReady = action.fields.every((field) => isFilled(field, values)) && isPlanSeen;

  const send = async (): Promise<void> => {
    setSending(true);
    setProblem(undefined);
    try {
      const { method, path, body } = action.request(values);
      const answer = await ask(path, { method, body, key, ...(csrf ? { csrf } : {}) });
      close();
      announce(stopped(action.done));
      const to = action.goTo?.(answer);
      if (to) go(to);
    } catch (error) {
      const found = asProblem(error);
      // Refused for good: what is sent next is another request.
      if (found.status >= 400 && found.status < 500) setKey(crypto.randomUUID());
      setProblem(found);
      setSending(false);
    }
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady && !isSending) void send();
      }}
    >
      <p class="intro">{action.intro}</p>
      <Fields fields={action.fields} values={values} onChange={onChange} />
      {action.plan && <Plan body={action.plan(values)} onSeen={setPlanSeen} />}
      {problem && <Trouble problem={problem} />}
      <p class="buttons">
        <button
          type="submit"
          class={action.danger ? 'danger main' : 'main'}
          aria-disabled={!isReady || isSending ? 'true' : undefined}
        >
          {isSending ? 'One moment …' : action.button}
        </button>
        <button type="button" onClick={close}>
          Do nothing
        </button>
      </p>
    </form>
  );
}
