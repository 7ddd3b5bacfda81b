/** A small `sluice.yaml`: one app in one environment. */
export const SHOP_YAML = `
repository: { owner: acme, name: shop, branch: main }
maintainers: { org: acme, team: maintainers }
aws: { region: us-east-1 }
environments: { staging: { cluster: staging-default } }
apps:
  api:
    paths: ["api/**"]
    images: [{ container: django, repository: shop-api, context: api }]
    environments: { staging: { service: staging-api } }
`;
