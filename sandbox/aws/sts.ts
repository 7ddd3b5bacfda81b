/** STS's AssumeRole, so that an environment's role can be tried here: it gives credentials that open nothing. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from './protocol.js';

export async function assumeRole(
  request: IncomingMessage,
  response: ServerResponse,
  account: string,
): Promise<void> {
  const form = new URLSearchParams((await readBody(request)).toString('utf8'));
  const action = form.get('Action');
  if (action !== 'AssumeRole') {
    response.writeHead(400, { 'content-type': 'text/xml' });
    response.end(
      `<ErrorResponse><Error><Code>InvalidAction</Code><Message>No action here</Message></Error></ErrorResponse>`,
    );
    return;
  }
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  response.writeHead(200, { 'content-type': 'text/xml' });
  response.end(
    `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>` +
      `<AccessKeyId>ASIASANDBOX</AccessKeyId><SecretAccessKey>sandbox</SecretAccessKey>` +
      `<SessionToken>sandbox</SessionToken><Expiration>${expires}</Expiration></Credentials>` +
      `<AssumedRoleUser><Arn>arn:aws:sts::${account}:assumed-role/sandbox/sluice</Arn>` +
      `<AssumedRoleId>AROASANDBOX:sluice</AssumedRoleId></AssumedRoleUser></AssumeRoleResult>` +
      `</AssumeRoleResponse>`,
  );
}
