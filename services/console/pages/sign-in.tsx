import { useState } from 'preact/hooks';
import type { Session } from '../../api/session.ts';
import { sendToken } from '../api.ts';
import { canSignIn, goToKeycloak, readAccessToken } from '../keycloak.ts';
import { useLoaded } from '../load.tsx';
import { useWords } from '../words.ts';

export function SignInPage(p: { readonly session: Session; readonly onSignedIn: () => void }) {
  const words = useWords();
  const { keycloak } = p.session;
  return (
    <section class="sign-in">
      <h1>{words.signIn.heading}</h1>
      {keycloak === null ? (
        <TokenForm onSignedIn={p.onSignedIn} />
      ) : (
        <KeycloakButton keycloak={keycloak} />
      )}
    </section>
  );
}

function KeycloakButton(p: { readonly keycloak: NonNullable<Session['keycloak']> }) {
  const words = useWords();
  const token = useLoaded('token', readAccessToken);
  const lacksRole = token.state === 'loaded' && token.value !== null;
  if (!canSignIn()) return <p class="lead">{words.signIn.insecure}</p>;
  return (
    <>
      {lacksRole ? (
        <div class="alert alert-warning plain" role="alert">
          <p class="alert-text">{words.signIn.noRole}</p>
        </div>
      ) : null}
      <button
        type="button"
        class="button button-primary"
        onClick={() => void goToKeycloak(p.keycloak)}
      >
        {words.signIn.keycloak}
      </button>
    </>
  );
}

function TokenForm(p: { readonly onSignedIn: () => void }) {
  const words = useWords();
  const [token, setToken] = useState('');
  const [wrong, setWrong] = useState(false);

  function send(event: Event): void {
    event.preventDefault();
    sendToken(token.trim()).then(p.onSignedIn, () => setWrong(true));
  }

  return (
    <form onSubmit={send}>
      <p class="lead">{words.signIn.hint}</p>
      <div class={`form-group ${wrong ? 'form-error' : ''}`}>
        <label class="form-label" for="token">
          {words.signIn.token}
        </label>
        {wrong ? (
          <p class="form-error-message" id="token-wrong" role="alert">
            {words.signIn.wrong}
          </p>
        ) : null}
        <input
          class="form-input"
          id="token"
          type="password"
          autocomplete="off"
          required
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
          {...(wrong ? { 'aria-describedby': 'token-wrong', 'aria-invalid': true } : {})}
        />
      </div>
      <button type="submit" class="button button-primary mt-4">
        {words.signIn.go}
      </button>
    </form>
  );
}
