/** Who calls: a person, an installation of an App, or the App itself. */

export type Permissions = Record<string, 'read' | 'write' | 'admin'>;

export interface OAuthAppOptions {
  clientId: string;
  clientSecret: string;
  name?: string;
  /** Where its people may be sent back to; absent: anywhere on this machine. */
  callbackUrl?: string;
}

export interface AppOptions extends OAuthAppOptions {
  /** `GITHUB_APP_ID` */
  id: number;
  /** PEM of the key pair; the public half is enough. */
  key: string;
  slug: string;
  /** Of its one installation, in the organisation. */
  installationId: number;
  permissions: Permissions;
}

export interface User {
  id: number;
  login: string;
  inOrg: boolean;
  /** Of the token that was given with them. */
  scopes: string[];
  push?: boolean;
  /** A person who can sign in by a browser. */
  signsIn?: boolean;
}

export interface Caller {
  /** Of a person's token; an app's installation and an app itself are nobody. */
  user?: User;
  /** Of a person's classic or OAuth token. */
  scopes?: string[];
  /** Of an installation's, a fine-grained or a `ghu_` token: these count instead of scopes. */
  permissions?: Permissions;
  /** Of an OAuth or `ghu_` token: the app that obtained it. */
  clientId?: string;
  /** Set for an installation's token and for the app's own JWT. */
  app?: AppOptions;
  /** The app's own JWT, which is good for `/app` only. */
  isJwt?: boolean;
}
