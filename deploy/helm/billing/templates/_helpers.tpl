{{- define "billing.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "billing.selector" -}}
app.kubernetes.io/name: billing
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "billing.labels" -}}
{{ include "billing.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- /* An image by the process that it holds; migrations are in the worker's. */ -}}
{{- define "billing.image" -}}
{{- printf "%s-%s:%s" .root.Values.image.repository .app (.root.Values.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}

{{- /* Variables from the Secret: `names` is a map from the variable to its key's name in `secrets.keys`. */ -}}
{{- define "billing.secretEnv" -}}
{{- range $variable, $key := .names }}
{{- with index $.root.Values.secrets.keys $key }}
- name: {{ $variable }}
  valueFrom: { secretKeyRef: { name: {{ $.root.Values.secrets.name }}, key: {{ . }} } }
{{- end }}
{{- end }}
{{- end -}}

{{- define "billing.configEnv" -}}
{{- range $variable, $value := merge (deepCopy .own) .root.Values.config }}
- name: {{ $variable }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{- define "billing.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "billing.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "billing.mounts" -}}
- { name: tmp, mountPath: /tmp }
{{- if .Values.tls.secretName }}
- { name: tls, mountPath: /run/tls, readOnly: true }
{{- end }}
{{- end -}}

{{- define "billing.volumes" -}}
- name: tmp
  emptyDir: { medium: Memory, sizeLimit: 16Mi }
{{- with .Values.tls.secretName }}
- name: tls
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- end -}}

{{- /* Where pods run; `component` keeps those of one kind apart. */ -}}
{{- define "billing.placement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "billing.selector" . | nindent 8 }}
{{- end -}}
