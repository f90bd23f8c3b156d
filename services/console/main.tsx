import '../../node_modules/dkfds/dist/css/dkfds.min.css';
import './style.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { Speaking } from './words.ts';

const root = document.getElementById('console');
if (root !== null) {
  render(
    <Speaking>
      <App />
    </Speaking>,
    root,
  );
}
