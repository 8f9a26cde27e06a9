{{- /* Every name of every object, and the labels. Templates take names from here only. */}}

{{- define "retake.name" -}}
{{- .Values.nameOverride | default .Chart.Name }}
{{- end }}

{{- define "retake.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains (include "retake.name" .) .Release.Name }}
{{- .Release.Name }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "retake.name" .) }}
{{- end }}
{{- end }}

{{- define "retake.config.name" -}}
{{ include "retake.fullname" . }}-config
{{- end }}

{{- define "retake.api.name" -}}
{{ include "retake.fullname" . }}-api
{{- end }}

{{- /* The Service of the API's metrics port, for KEDA. */}}
{{- define "retake.api-metrics.name" -}}
{{ include "retake.fullname" . }}-api-metrics
{{- end }}

{{- define "retake.worker.name" -}}
{{ include "retake.fullname" . }}-worker
{{- end }}

{{- define "retake.janitor.name" -}}
{{ include "retake.fullname" . }}-janitor
{{- end }}

{{- define "retake.migrate.name" -}}
{{ include "retake.fullname" . }}-migrate
{{- end }}

{{- define "retake.default-deny.name" -}}
{{ include "retake.fullname" . }}-default-deny
{{- end }}

{{- define "retake.test.name" -}}
{{ include "retake.fullname" . }}-test
{{- end }}

{{- define "retake.doctor.name" -}}
{{ include "retake.fullname" . }}-doctor
{{- end }}

{{- define "retake.auth-secret.name" -}}
{{ .Values.auth.existingSecret | default (printf "%s-auth" (include "retake.fullname" .)) }}
{{- end }}

{{- define "retake.webhook-secret.name" -}}
{{ .Values.webhooks.existingSecret | default (printf "%s-webhooks" (include "retake.fullname" .)) }}
{{- end }}

{{- /* Stores: what the chart makes of one is called <name>-<mode>-<store>, what others made <name>-<store>. */}}

{{- define "retake.postgres.name" -}}
{{ include "retake.fullname" . }}-{{ eq (include "retake.postgres.mode" .) "dev" | ternary "dev-" "" }}postgres
{{- end }}

{{- define "retake.postgres-secret.name" -}}
{{- $mode := include "retake.postgres.mode" . }}
{{- if and (eq $mode "external") .Values.postgres.external.existingSecret }}
{{- .Values.postgres.external.existingSecret }}
{{- else if eq $mode "cloudnative-pg" }}
{{- include "retake.postgres.name" . }}-app
{{- else }}
{{- include "retake.postgres.name" . }}
{{- end }}
{{- end }}

{{- define "retake.nats.name" -}}
{{ include "retake.fullname" . }}-{{ eq (include "retake.nats.mode" .) "dev" | ternary "dev-" "" }}nats
{{- end }}

{{- define "retake.nats-secret.name" -}}
{{- $mode := include "retake.nats.mode" . }}
{{- if and (eq $mode "external") .Values.nats.external.existingSecret }}
{{- .Values.nats.external.existingSecret }}
{{- else if eq $mode "chart" }}
{{- include "retake.fullname" . }}-nats-token
{{- else }}
{{- include "retake.nats.name" . }}
{{- end }}
{{- end }}

{{- define "retake.s3.name" -}}
{{- $mode := include "retake.s3.mode" . }}
{{- include "retake.fullname" . }}-{{ eq $mode "dev" | ternary "dev-s3" (eq $mode "minio" | ternary "minio" "s3") }}
{{- end }}

{{- define "retake.s3-secret.name" -}}
{{- $mode := include "retake.s3.mode" . }}
{{- if eq $mode "external" }}
{{- .Values.objectStore.external.existingSecret | default (include "retake.s3.name" .) }}
{{- else if eq $mode "minio" }}
{{- .Values.objectStore.minio.existingSecret | default (include "retake.s3.name" .) }}
{{- else }}
{{- include "retake.s3.name" . }}
{{- end }}
{{- end }}

{{- /* Labels of an object: (list $ "component"), or (list $ "") for what belongs to all. */}}
{{- define "retake.labels" -}}
{{- $root := index . 0 }}
{{- include "retake.selector" . }}
app.kubernetes.io/part-of: retake
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* What never changes: selectors, and the labels of pods. */}}
{{- define "retake.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "retake.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- with index . 1 }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}
