{{- define "operator.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 50 characters, so that what is added to it fits into 63. */}}
{{- define "operator.fullname" -}}
{{- $name := include "operator.name" . -}}
{{- $default := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- .Values.fullnameOverride | default $default | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "operator.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (include "operator.fullname" .) -}}
{{- end -}}

{{/* A name that belongs to the cluster, not to a namespace: two releases may have the same name. */}}
{{- define "operator.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "operator.fullname" .) -}}
{{- end -}}

{{/* Who injects sidecars: Webhook or Policy; empty: nobody. Values of an older chart that are used again have no such part. */}}
{{- define "operator.injectionMode" -}}
{{- with .Values.injection -}}
{{- if .enabled -}}
{{- if ne .mode "Auto" -}}
{{ .mode }}
{{- else if $.Capabilities.APIVersions.Has "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy" -}}
Policy
{{- else -}}
Webhook
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "operator.replicas" -}}
{{- .Values.replicas | default (empty (include "operator.injectionMode" .) | ternary 1 2) -}}
{{- end -}}

{{- define "operator.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "operator.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "operator.selectorLabels" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: large-payload
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Called with the chart's fields and what a user adds, of which the chart's own win: selectors rely on them. */}}
{{- define "operator.labelsAnd" -}}
{{- merge (include "operator.labels" (first .) | fromYaml) (last .) | toYaml -}}
{{- end -}}

{{- define "operator.containerSecurityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop:
    - ALL
readOnlyRootFilesystem: true
{{- end -}}

{{/* What the pods of helm test share. They show no token of the API. */}}
{{- define "operator.testPod" -}}
restartPolicy: Never
activeDeadlineSeconds: 120
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "operator.testContainer" -}}
image: {{ include "operator.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
resources:
  requests:
    cpu: 10m
    memory: 64Mi
  limits:
    cpu: 500m
    memory: 128Mi
securityContext:
  {{- include "operator.containerSecurityContext" . | nindent 2 }}
{{- end -}}
