import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { imageTag, isCommit, isDigest, isTag, releaseOf } from '../../domain/tags.js';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

describe('isTag', () => {
  it.each(['v1', 'rel-2024.01.02.03.04.05', '_', A, 'A.b-c_d', 'x'.repeat(128)])('takes %s', (tag) => {
    expect(isTag(tag)).toBe(true);
  });

  it.each(['', '.v1', '-v1', 'a b', 'a/b', 'a:b', 'a@b', 'é', 'x'.repeat(129), 'v1\n', '$(id)'])(
    'refuses %j',
    (tag) => {
      expect(isTag(tag)).toBe(false);
    },
  );

  it('takes nothing that an image reference could be broken with', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[\w.:/ -]{1,9}$/)), (text) => {
        if (!isTag(text)) return;
        expect(text).toMatch(/^[\w.-]+$/);
        expect(text.startsWith('-')).toBe(false);
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...' /:@\n\0"\'$;'),
        fc.string(),
        (bad, text) => !isTag(text + bad) && !isTag(bad + text),
      ),
    );
  });
});

it('knows commits and digests by their whole form', () => {
  expect([A, `sha256:${'0'.repeat(64)}`].map((text) => [isCommit(text), isDigest(text)])).toEqual([
    [true, false],
    [false, true],
  ]);
  for (const text of [A.toUpperCase(), A.slice(1), `${A}a`, `${A}\n`, 'HEAD', '', `sha256:${A}`]) {
    expect([isCommit(text), isDigest(text)]).toEqual([false, false]);
  }
});

describe('imageTag', () => {
  it('understands the git tag of a release of the same app', () => {
    expect(imageTag('api', 'api-2024.01.02.03.04.05')).toBe('rel-2024.01.02.03.04.05');
    expect(imageTag('ingestion_server', 'ingestion_server-2024.01.02.03.04.05')).toBe(
      'rel-2024.01.02.03.04.05',
    );
  });

  it.each([
    'frontend-2024.01.02.03.04.05',
    'api-2024.01.02',
    'api-2024.01.02.03.04.05-1',
    'api-latest',
    A,
    'rel-1',
  ])('leaves %s as it is', (tag) => {
    expect(imageTag('api', tag)).toBe(tag);
  });

  it('is settled after one step, and makes only tags of tags', () => {
    const tags = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.constantFrom('api', 'rel'), fc.stringMatching(/^\d{4}(\.\d\d){5}$/))
        .map((parts) => parts.join('-')),
    );
    fc.assert(
      fc.property(tags, (tag) => {
        const once = imageTag('api', tag);
        expect(imageTag('api', once)).toBe(once);
        expect(isTag(once)).toBe(isTag(tag));
      }),
    );
  });
});

describe('releaseOf', () => {
  const tag = 'rel-2024.01.02.03.04.05';

  it('believes the label before a tag, and a 40-hex tag before the tag that was asked for', () => {
    const labelled = { repository: 'r', revision: A, tags: [B] };
    expect(releaseOf({ images: [labelled], tag })).toEqual({ release: A });
    expect(releaseOf({ images: [{ repository: 'r', tags: ['latest', B, tag] }], tag })).toEqual({
      release: B,
    });
    expect(releaseOf({ images: [{ repository: 'r', tags: ['latest', tag] }], tag })).toEqual({
      release: tag,
    });
  });

  it('prefers the commit that was asked for among several', () => {
    expect(releaseOf({ images: [{ repository: 'r', tags: [A, B] }], tag: B }).release).toBe(B);
    expect(releaseOf({ images: [{ repository: 'r', tags: [B, A] }], tag }).release).toBe(A);
  });

  it('takes no label that no endpoint could report', () => {
    for (const revision of ['', 'two words', 'line\nbreak', 'x'.repeat(201)]) {
      expect(releaseOf({ images: [{ repository: 'r', revision, tags: [] }], tag }).release).toBe(tag);
    }
  });

  it('lets one labelled image speak for a set, and tells where images disagree', () => {
    const images = [
      { repository: 'api', tags: [] },
      { repository: 'nginx', revision: A, tags: [] },
    ];
    expect(releaseOf({ images, tag })).toEqual({ release: A });
    expect(releaseOf({ images: [...images, { repository: 'third', revision: B, tags: [] }], tag })).toEqual({
      release: A,
      differs: ['api: unknown', `nginx: ${A}`, `third: ${B}`],
    });
  });

  it('always answers with something that was given', () => {
    const image = fc.record({
      repository: fc.constant('r'),
      revision: fc.option(fc.constantFrom(A, B, 'short', 'no way'), { nil: undefined }),
      tags: fc.array(fc.constantFrom(A, B, 'latest')),
    });
    fc.assert(
      fc.property(fc.array(image), (images) => {
        const { release, differs } = releaseOf({ images, tag });
        expect([tag, A, B, 'short']).toContain(release);
        const labels = new Set(
          images.map(({ revision }) => revision).filter((one) => one && one !== 'no way'),
        );
        if (labels.size > 1) expect(differs).toHaveLength(images.length);
        if (labels.size > 0) expect(labels).toContain(release);
      }),
    );
  });
});
