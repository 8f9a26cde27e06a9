{{- /* One server in one pod with one disk: what the dev stores and MinIO are. */}}

{{- /* (dict "root" $ "component" "" "name" "" "values" {} "image" "" "command" [] "args" [] "env" [] "ports" {} "ready" {} "secret" "" "keys" []) */}}
{{- define "retake.server" -}}
{{- $component := list .root .component -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ .name }}
  labels:
    {{- include "retake.labels" $component | nindent 4 }}
spec:
  replicas: 1
  serviceName: {{ .name }}
  selector:
    matchLabels:
      {{- include "retake.selector" $component | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "retake.selector" $component | nindent 8 }}
    spec:
      {{- include "retake.pod" (list .root .component .values) | nindent 6 }}
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 30
      containers:
        - name: {{ .component }}
          image: {{ .image }}
          {{- include "retake.container" .root | nindent 10 }}
          command: {{ toJson .command }}
          env:
            - name: HOME
              value: /tmp
            {{- with .env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            {{- range $name, $port := .ports }}
            - {name: {{ $name }}, containerPort: {{ $port }}}
            {{- end }}
          startupProbe:
            {{- toYaml .ready | nindent 12 }}
            periodSeconds: 1
            failureThreshold: 120
          livenessProbe:
            {{- toYaml .ready | nindent 12 }}
            periodSeconds: 20
            timeoutSeconds: 10
            failureThreshold: 6
          readinessProbe:
            {{- toYaml .ready | nindent 12 }}
            periodSeconds: 5
            timeoutSeconds: 5
          resources:
            {{- toYaml .values.resources | nindent 12 }}
          volumeMounts:
            - {name: data, mountPath: /data}
            - {name: credentials, mountPath: /etc/retake, readOnly: true}
            - {name: tmp, mountPath: /tmp}
      volumes:
        - name: credentials
          secret:
            secretName: {{ .secret }}
            defaultMode: 0440
            items:
              {{- range .keys }}
              - {key: {{ . }}, path: {{ . }}}
              {{- end }}
        - name: tmp
          emptyDir:
            sizeLimit: 256Mi
  volumeClaimTemplates:
    - metadata:
        name: data
        labels:
          {{- include "retake.selector" $component | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with .values.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ .values.storage }}
{{- end }}

{{- /* (list $ "component" "name" port) */}}
{{- define "retake.server.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ index . 2 }}
  labels:
    {{- include "retake.labels" . | nindent 4 }}
spec:
  ports:
    - {name: server, port: {{ index . 3 }}, targetPort: server}
  selector:
    {{- include "retake.selector" . | nindent 4 }}
{{- end }}
