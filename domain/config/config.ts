/** `sluice.yaml` after checking: defaults filled in, durations in milliseconds. */

export interface Config {
  repository: { owner: string; name: string; branch: string; cloneUrl: string };
  maintainers: { org: string; team: string };
  access: {
    read: 'public' | 'signed-in' | 'maintainers';
    logs: 'maintainers' | 'public';
    oauthClients: string[];
  };
  aws: { region: string; registry?: string };
  environments: Record<string, EnvironmentConfig>;
  apps: Record<string, AppConfig>;
  limits: LimitsConfig;
  slack: SlackConfig;
  releaseNotes: ReleaseNotesConfig;
}

export interface EnvironmentConfig {
  cluster: string;
  region: string;
  /** Assumed for ECS calls only. */
  roleArn?: string;
}

export interface AppConfig {
  paths: string[];
  images: ImageConfig[];
  /** Absent for `releaseOnly` apps. */
  environments: Record<string, ServiceConfig>;
  releaseOnly: boolean;
  build: 'sluice' | 'external';
  prepare: string[];
  runbookUrl?: string;
  tests?: TestsConfig;
  /** Present where the app has both `staging` and `production`. */
  promotion?: PromotionConfig;
}

/** What tests staging before production: a GitHub workflow, a command on a build worker, or a report. */
export type TestsConfig = {
  /** Failed and inconclusive ones together. */
  attempts: number;
  timeoutMs: number;
} & (
  | {
      kind: 'github';
      /** File name or id. */
      workflow: string;
      /** With `{staging.url}`, `{release}`, `{marker}`, `{app}` still in them. */
      inputs: Record<string, string>;
    }
  | { kind: 'command'; command: string[] }
  | { kind: 'report' }
);

export interface PromotionConfig {
  queue: 'latest' | 'every-merge' | 'off';
  approval: 'required' | 'automatic';
  remindAfterMs: number;
  escalateAfterMs: number;
}

export interface ImageConfig {
  /** Containers of the task definition that run this image. */
  containers: string[];
  repository: string;
  /** Folder of the checkout. */
  context: string;
  dockerfile?: string;
  target?: string;
  buildArgs: Record<string, string>;
  buildContexts: Record<string, string>;
  platform?: string;
  secrets: { id: string; env: string }[];
  alsoTag: string[];
}

export interface ServiceConfig {
  service: string;
  /** Family of the template task definition; `{service}-template`. */
  template: string;
  /** Family that is registered; the template's, its `-template` suffix off. */
  family: string;
  versionUrl?: string;
  url?: string;
  logsUrl?: string;
  runbookUrl?: string;
}

export interface LimitsConfig {
  tellAfterMs: number;
  giveUpAfterMs: number;
  verifyMs: number;
  /** ECS reads per second, per worker. */
  callsPerSecond: number;
}

export interface SlackConfig {
  /** GitHub login → Slack member id. */
  users: Record<string, string>;
}

/** In labels `{app}` is the app's name with spaces for its underscores; in the path it is the name itself. */
export interface ReleaseNotesConfig {
  /** Pull requests with this label belong to the app. */
  label: string;
  /** Pull requests with one of these labels are left out. */
  exclude: string[];
  /** In order; a pull request stands in the first section that has one of its labels. */
  sections: { title: string; labels: string[] }[];
  /** With `{app}` and `{date}`. */
  changelogPath: string;
  pullRequestLabels: string[];
}
