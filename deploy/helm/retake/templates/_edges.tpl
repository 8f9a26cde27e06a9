{{- /* The edges of the NetworkPolicies: who may speak to whom, each written once. */}}

{{- define "retake.edge.dns" -}}
- to:
    {{- toYaml .Values.networkPolicy.dns.to | nindent 4 }}
  ports:
    - {protocol: UDP, port: {{ .Values.networkPolicy.dns.port }}}
    - {protocol: TCP, port: {{ .Values.networkPolicy.dns.port }}}
{{- end }}

{{- /* To a component of this release: (list $ "component" port) */}}
{{- define "retake.edge.component" -}}
- to:
    - podSelector:
        matchLabels:
          {{- include "retake.selector" . | nindent 10 }}
  ports:
    - {protocol: TCP, port: {{ index . 2 }}}
{{- end }}

{{- /* To networks, or anywhere when there are none: (list networks ports) */}}
{{- define "retake.edge.networks" -}}
- ports:
    {{- range index . 1 }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with index . 0 }}
  to:
    {{- range . }}
    - ipBlock: {cidr: {{ . }}}
    {{- end }}
  {{- end }}
{{- end }}

{{- define "retake.edge.postgres" -}}
{{- $mode := include "retake.postgres.mode" . }}
{{- if eq $mode "dev" }}
{{- include "retake.edge.component" (list . "postgres" 5432) }}
{{- else if eq $mode "cloudnative-pg" -}}
- to:
    - podSelector:
        matchLabels:
          cnpg.io/cluster: {{ include "retake.postgres.name" . }}
  ports:
    - {protocol: TCP, port: 5432}
{{- else }}
{{- include "retake.edge.networks" (list .Values.postgres.external.networks (list .Values.postgres.external.port)) }}
{{- end }}
{{- end }}

{{- define "retake.edge.nats" -}}
{{- $mode := include "retake.nats.mode" . }}
{{- if eq $mode "dev" }}
{{- include "retake.edge.component" (list . "nats" 4222) }}
{{- else if eq $mode "chart" -}}
- to:
    - podSelector:
        matchLabels:
          {{- toYaml .Values.nats.chart.podLabels | nindent 10 }}
  ports:
    - {protocol: TCP, port: 4222}
{{- else }}
{{- include "retake.edge.networks" (list .Values.nats.external.networks (list .Values.nats.external.port)) }}
{{- end }}
{{- end }}

{{- define "retake.edge.s3" -}}
{{- if eq (include "retake.s3.mode" .) "external" }}
{{- include "retake.edge.networks" (list .Values.objectStore.external.networks (list .Values.objectStore.external.port)) }}
{{- else }}
{{- include "retake.edge.component" (list . "s3" 9000) }}
{{- end }}
{{- end }}

{{- /* Messages go to any port of where webhooks may go, and to the networks that settings admit. */}}
{{- define "retake.edge.webhooks" -}}
- to:
    {{- toYaml .Values.networkPolicy.webhookTo | nindent 4 }}
    {{- range compact (splitList "," (dig "RETAKE_WEBHOOK_NETWORKS" "" .Values.settings | replace " " "")) }}
    - ipBlock: {cidr: {{ contains "/" . | ternary . (printf "%s/%d" . (contains ":" . | ternary 128 32)) | quote }}}
    {{- end }}
{{- end }}

{{- /* Nothing, when there are no traces. */}}
{{- define "retake.edge.tracing" -}}
{{- if .Values.tracing.endpoint }}
{{- include "retake.edge.networks" (list .Values.tracing.networks (list (include "retake.port" .Values.tracing.endpoint))) }}
{{- end }}
{{- end }}

{{- define "retake.edge.kubernetes" -}}
{{- include "retake.edge.networks" (list .Values.networkPolicy.kubernetesApi.networks .Values.networkPolicy.kubernetesApi.ports) }}
{{- end }}

{{- /* Prometheus, to the metrics port. */}}
{{- define "retake.edge.from-monitoring" -}}
- from:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ .Values.networkPolicy.monitoringNamespace }}
  ports:
    - {protocol: TCP, port: 9090}
{{- end }}

{{- /* Pods of this release, to a port: (list $ (list "component" ...) port) */}}
{{- define "retake.edge.from-components" -}}
{{- $root := index . 0 -}}
- from:
    {{- range index . 1 }}
    - podSelector:
        matchLabels:
          {{- include "retake.selector" (list $root .) | nindent 10 }}
    {{- end }}
  ports:
    - {protocol: TCP, port: {{ index . 2 }}}
{{- end }}

{{- /* The head of a component's NetworkPolicy: (list $ "component") */}}
{{- define "retake.policy" -}}
{{- $root := index . 0 -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "retake.fullname" $root }}-{{ index . 1 }}
  labels:
    {{- include "retake.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "retake.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end }}
