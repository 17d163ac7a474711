import { mount } from 'svelte';
import Root from './components/Root.svelte';
import { app } from './lib/app.svelte';
import './styles/tokens.css';
import './styles/base.css';

mount(Root, { target: document.getElementById('app')! });
void app.start();
