/** `/openapi.json`, made of the routes' schemas, and its page. They hold no data: open to everyone. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fp from 'fastify-plugin';

export const docs = fp<{ release: string }>(async (app, { release }) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sluice',
        version: release,
        description: 'Deploys container apps to AWS ECS, one release at a time.',
      },
      components: {
        securitySchemes: {
          github: { type: 'http', scheme: 'bearer', description: 'A person’s GitHub token' },
        },
      },
      security: [{ github: [] }],
    },
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, logLevel: 'warn' });
});
