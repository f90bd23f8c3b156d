FROM node:24-slim

ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# --omit=dev leaves the tests' tools out; the embedded PostgreSQL stays: it serves where no
# DATABASE_URL is set. npm install and not npm ci: see ./skolebus.
RUN npm install --no-save --omit=dev && npm cache clean --force
COPY provisioning provisioning
COPY services services
COPY LICENSE README.md ./

RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8400
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "services/cli/main.ts"]
CMD ["serve", "--home", "/data", "--host", "0.0.0.0"]
