import { mount } from 'svelte';
import '../../src/styles/tokens.css';
import '../../src/styles/base.css';
import '../../src/styles/form.css';
import './field.css';
import { field } from './lib/field.svelte';
import Root from './Root.svelte';

mount(Root, { target: document.getElementById('app')! });
void field.start();
