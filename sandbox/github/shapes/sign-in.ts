/** The page on which one chooses who one is in the sandbox, where GitHub asks for a password. */

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replaceAll(/[&<>"']/g, (one) => ESCAPES[one] ?? one);

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 26rem; margin: 12vh auto; padding: 0 1rem }
h1 { font-size: 1.4rem }
button { display: block; width: 100%; margin: .5rem 0; padding: .7rem 1rem; font: inherit; text-align: left; cursor: pointer }
small { opacity: .75 }`;

const page = (title: string, body: string): string => `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escaped(title)}</h1>${body}</main></body></html>
`;

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
