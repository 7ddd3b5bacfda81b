/** Foreign text stands in histories, tables and messages. */
const LONGEST = 200;

/** On one line, at most 200 characters, none of them cut in half. */
export function oneLine(text: string): string {
  const characters = [...text.trim().replace(/\s+/g, ' ')];
  return characters.length <= LONGEST ? characters.join('') : `${characters.slice(0, LONGEST - 1).join('')}…`;
}
