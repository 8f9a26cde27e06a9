{{- /* Whose each store is, where it is, and how retake comes to its credentials. */}}

{{- define "retake.postgres.mode" -}}
{{- with .Values.postgres }}
{{- and $.Values.demo.enabled (eq .mode "external") (not .external.existingSecret) | ternary "dev" .mode }}
{{- end }}
{{- end }}

{{- define "retake.nats.mode" -}}
{{- with .Values.nats }}
{{- and $.Values.demo.enabled (eq .mode "external") (not .external.existingSecret) | ternary "dev" .mode }}
{{- end }}
{{- end }}

{{- define "retake.s3.mode" -}}
{{- with .Values.objectStore }}
{{- and $.Values.demo.enabled (eq .mode "external") (not .external.existingSecret) | ternary "dev" .mode }}
{{- end }}
{{- end }}

{{- /* Empty when the Secret says it. */}}
{{- define "retake.s3.endpoint" -}}
{{- if eq (include "retake.s3.mode" .) "external" }}
{{- .Values.objectStore.external.endpoint }}
{{- else -}}
http://{{ include "retake.s3.name" . }}:9000
{{- end }}
{{- end }}

{{- /* Whether others make the Secret of the object store. */}}
{{- define "retake.s3.theirs" -}}
{{- $mode := include "retake.s3.mode" . }}
{{- or (eq $mode "external") (and (eq $mode "minio") (not (empty .Values.objectStore.minio.existingSecret))) }}
{{- end }}

{{- /* The port of a URL. */}}
{{- define "retake.port" -}}
{{- regexFind ":[0-9]+(/|$)" . | trimAll ":/" | default (hasPrefix "http://" . | ternary "80" "443") }}
{{- end }}

{{- /* 80 % of the disk of a store that the chart makes, in MiB; empty for others. */}}
{{- define "retake.s3.cap" -}}
{{- $mode := include "retake.s3.mode" . }}
{{- if ne $mode "external" }}
{{- $gib := index .Values.objectStore $mode "storage" | trimSuffix "Gi" | int64 }}
{{- div (mul $gib 1024 8) 10 }}
{{- end }}
{{- end }}

{{- /*
Every credential: which concern of retake's settings it is of, the variable that names its file, the file's name, the
Secret and key it comes from, and whether somebody else makes that. Each process gets those of its own concerns, as files.
*/}}
{{- define "retake.credentials" -}}
- concern: postgres
  variable: RETAKE_DATABASE_URL_FILE
  file: database-url
  secret: {{ include "retake.postgres-secret.name" . }}
  key: {{ dict "external" .Values.postgres.external.key "cloudnative-pg" "uri" "dev" "url" | dig (include "retake.postgres.mode" .) "" }}
  theirs: {{ eq (include "retake.postgres.mode" .) "external" }}
- concern: nats
  variable: RETAKE_NATS_URL_FILE
  file: nats-url
  secret: {{ include "retake.nats-secret.name" . }}
  key: {{ dict "external" .Values.nats.external.key | dig (include "retake.nats.mode" .) "url" }}
  theirs: {{ eq (include "retake.nats.mode" .) "external" }}
{{- if not (include "retake.s3.endpoint" .) }}
- concern: bucket
  variable: RETAKE_S3_ENDPOINT_FILE
  file: s3-endpoint
  secret: {{ include "retake.s3-secret.name" . }}
  key: endpoint
  theirs: true
{{- end }}
- concern: bucket
  variable: RETAKE_S3_ACCESS_KEY_FILE
  file: s3-access-key
  secret: {{ include "retake.s3-secret.name" . }}
  key: access-key
  theirs: {{ include "retake.s3.theirs" . }}
- concern: bucket
  variable: RETAKE_S3_SECRET_KEY_FILE
  file: s3-secret-key
  secret: {{ include "retake.s3-secret.name" . }}
  key: secret-key
  theirs: {{ include "retake.s3.theirs" . }}
- concern: api
  variable: RETAKE_PASSWORD_FILE
  file: password
  secret: {{ include "retake.auth-secret.name" . }}
  key: {{ .Values.auth.existingSecret | empty | ternary "password" .Values.auth.key }}
  theirs: {{ not (empty .Values.auth.existingSecret) }}
{{- with .Values.auth.apiKeys }}
{{- if .existingSecret }}
- concern: api
  variable: RETAKE_API_KEYS
  file: api-keys
  secret: {{ .existingSecret }}
  key: {{ .key }}
  theirs: true
{{- end }}
{{- end }}
{{- with .Values.tracing }}
{{- if and .endpoint .existingSecret }}
- concern: observe
  variable: OTEL_EXPORTER_OTLP_HEADERS_FILE
  file: trace-headers
  secret: {{ .existingSecret }}
  key: {{ .key }}
  theirs: true
{{- end }}
{{- end }}
{{- if .Values.webhooks.enabled }}
- concern: webhooks
  variable: RETAKE_WEBHOOK_SECRET_FILE
  file: webhook-secret
  secret: {{ include "retake.webhook-secret.name" . }}
  key: {{ .Values.webhooks.existingSecret | empty | ternary "webhook-secret" .Values.webhooks.key }}
  theirs: {{ not (empty .Values.webhooks.existingSecret) }}
{{- end }}
{{- end }}

{{- /* The value of a generated Secret's key as it is in the cluster, else a new one: (list $ name key new) */}}
{{- define "retake.kept" -}}
{{- $root := index . 0 }}
{{- $there := lookup "v1" "Secret" $root.Release.Namespace (index . 1) }}
{{- dig "data" (index . 2) "" $there | b64dec | default (index . 3) }}
{{- end }}
