{{- /* What pods have in common. Pod Security `restricted` holds for every one of them. */}}

{{- define "retake.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- if regexMatch "[:@]" (base $image) -}}
{{ $image }}
{{- else -}}
{{ with $root.Values.image.registry }}{{ . }}/{{ end }}{{ $image }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}
{{- end }}
{{- end }}

{{- /* The fields of a pod before its containers: (list $ "component" .Values.<component>) */}}
{{- define "retake.pod" -}}
{{- $root := index . 0 }}
{{- $values := index . 2 -}}
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $values.priorityClassName | default (and $root.Values.priorityClasses.create (has (index . 1) (list "api" "worker")) | ternary (printf "%s-%s" (include "retake.fullname" $root) (index . 1)) "") }}
priorityClassName: {{ . }}
{{- end }}
{{- range $field := list "nodeSelector" "tolerations" "affinity" }}
{{- with index $values $field }}
{{ $field }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Replicas lie apart, when they can. */}}
{{- define "retake.spread" -}}
topologySpreadConstraints:
  {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "retake.selector" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}

{{- define "retake.container" -}}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{- /* The credentials of these concerns, as variables that name files: (list $ (list "postgres" ...)) */}}
{{- define "retake.credential-variables" -}}
{{- $concerns := index . 1 -}}
- name: HOME
  value: /tmp
{{- range include "retake.credentials" (index . 0) | fromYamlArray }}
{{- if has .concern $concerns }}
- name: {{ .variable }}
  value: /etc/retake/{{ .file }}
{{- end }}
{{- end }}
{{- end }}

{{- define "retake.credential-volume" -}}
{{- $concerns := index . 1 -}}
- name: credentials
  projected:
    defaultMode: 0440
    sources:
      {{- range include "retake.credentials" (index . 0) | fromYamlArray }}
      {{- if has .concern $concerns }}
      - secret:
          name: {{ .secret }}
          items:
            - key: {{ .key }}
              path: {{ .file }}
      {{- end }}
      {{- end }}
- name: tmp
  emptyDir:
    sizeLimit: 256Mi
{{- end }}

{{- define "retake.mounts" -}}
- name: credentials
  mountPath: /etc/retake
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- end }}

{{- define "retake.settings-from" -}}
envFrom:
  - configMapRef:
      name: {{ include "retake.config.name" . }}
{{- end }}

{{- define "retake.config-checksum" -}}
checksum/config: {{ include (print .Template.BasePath "/configmap.yaml") . | sha256sum }}
{{- end }}

{{- /* Bring the database to the schema of this release; several at once are fine. */}}
{{- define "retake.migrate.container" -}}
name: migrate
image: {{ include "retake.image" (list . .Values.api.image) }}
{{ include "retake.container" . }}
command: [python, -m, retake, migrate]
env:
  {{- include "retake.credential-variables" (list . (list "postgres")) | nindent 2 }}
resources:
  {{- toYaml .Values.migrate.resources | nindent 2 }}
volumeMounts:
  {{- include "retake.mounts" . | nindent 2 }}
{{- end }}
