/** Deployments over time: height is duration, form and colour the outcome. The table beside it says the same. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { go } from '../live/router.js';
import type { Point } from '../model/chart.js';
import { chartOf, chartWords } from '../model/chart.js';
import type { ShownDeployment } from '../model/types.js';
import { deploymentPath } from './names.js';

const HEIGHT = 150;
const MARGIN = { top: 10, right: 14, bottom: 22, left: 58 };

export function Chart({ deployments }: { deployments: ShownDeployment[] }) {
  const frame = useRef<HTMLElement>(null);
  const [full, setFull] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setFull(Math.floor(entry?.contentRect.width ?? 0)));
    if (frame.current) observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  const width = full - MARGIN.left - MARGIN.right;
  const chart = width > 0 ? chartOf(deployments, { width, height: HEIGHT }) : undefined;
  return (
    <figure class="chart" ref={frame}>
      {chart && (
        <svg
          width={full}
          height={HEIGHT + MARGIN.top + MARGIN.bottom}
          role="img"
          aria-label={chartWords(deployments)}
        >
          <g transform={`translate(${MARGIN.left} ${MARGIN.top})`}>
            {chart.rows.map(({ at, label }) => (
              <g key={label} class="grid" transform={`translate(0 ${at})`}>
                <line x2={width} />
                <text x={-10} dy="0.32em" text-anchor="end">
                  {label}
                </text>
              </g>
            ))}
            {chart.columns.map(({ at, label }) => (
              <text key={label} class="day" x={at} y={HEIGHT + 16} text-anchor="middle">
                {label}
              </text>
            ))}
            {chart.points.map((point) => (
              <Mark key={point.id} point={point} />
            ))}
          </g>
        </svg>
      )}
      <figcaption class="hint">
        <span class="key good">succeeded</span>
        <span class="key bad">failed, rolled back or timed out</span>
        <span class="key neither">stopped, superseded or rejected</span>
      </figcaption>
    </figure>
  );
}

/** For the mouse; the keyboard has the table's links. */
function Mark({ point: { id, x, y, look, words } }: { point: Point }) {
  const shape = {
    good: <circle cx={x} cy={y} r={4.5} />,
    bad: <path d={`M${x} ${y - 6.5}l6.5 6.500-6.500 6.500-6.500-6.500z`} />,
    neither: <rect x={x - 3.5} y={y - 3.5} width={7} height={7} />,
  }[look];
  return (
    <g class={`mark ${look}`} onClick={() => go(deploymentPath(id))}>
      <title>{words}</title>
      {shape}
    </g>
  );
}
