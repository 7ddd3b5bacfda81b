import './styles/base.css';
import './styles/road.css';
import './styles/pages.css';
import './styles/dialog.css';
import { render } from 'preact';
import { Page } from './Page.js';
import { catchLinks } from './live/router.js';
import { start } from './live/store.js';

const root = document.getElementById('app');
if (root) render(<Page />, root);
catchLinks();
void start();
