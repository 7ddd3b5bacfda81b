/** The page on which one chooses who one is in the sandbox, where GitHub asks for a password. */
import { escaped, page } from './page.js';

export interface SignInPage {
  /** Of the app that asks. */
  app: string;
  team: string;
  people: { login: string; isMember: boolean }[];
  /** What was asked for: comes back with the choice. */
  asked: Record<string, string>;
}

export function signInPage({ app, team, people, asked }: SignInPage): string {
  const hidden = Object.entries(asked).map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  );
  const buttons = people.map(({ login, isMember }) => {
    const what = isMember ? `in ${team}` : `not in ${team}`;
    return `<button name="login" value="${escaped(login)}">${escaped(login)} <small>${escaped(what)}</small></button>`;
  });
  return page(
    'Who are you in the sandbox?',
    `<p>${escaped(app)} asks to know. This plays GitHub: nobody has a password here.</p>
<form method="post" action="/login/oauth/authorize">${hidden.join('')}
${buttons.join('\n')}
<button name="cancel" value="1">Cancel</button></form>`,
  );
}

export const troublePage = (text: string): string => page('This does not work', `<p>${escaped(text)}</p>`);
