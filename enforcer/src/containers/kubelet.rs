//! What kubelets keep of pods on disk, and no interface of a container runtime tells: the service account a pod runs as.
//!
//! A kubelet puts a token into a folder of the pod's that only root may enter, named by the pod's unique id, and mounts it into
//! the pod for reading. It is read here, from outside: no pod can write there. The token is not verified, for nobody but the
//! kubelet could have put it there, and nothing of it is kept but the account's name.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// Where in a pod's folder volumes are that are put together of several sources.
const PROJECTED: &str = "volumes/kubernetes.io~projected";
/// Longest token that is read; they have one or two kilobytes.
const MAX_TOKEN: u64 = 16 * 1024;
/// Most volumes that are looked into.
const MAX_VOLUMES: usize = 64;

/// The part of a token that says whose it is (<https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/>).
#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "kubernetes.io")]
    kubernetes: Kubernetes,
}

#[derive(Deserialize)]
struct Kubernetes {
    pod: Named,
    serviceaccount: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    uid: String,
}

/// The service account of the pod with this unique id; none where the pod has no token of one.
pub(super) fn service_account(kubelet: &Path, pod: &str) -> Option<String> {
    // An id is a name of a folder and nothing else.
    if pod.is_empty() || pod.contains(['/', '.', '\0']) {
        return None;
    }
    let volumes = fs::read_dir(kubelet.join("pods").join(pod).join(PROJECTED)).ok()?;
    volumes
        .take(MAX_VOLUMES)
        .filter_map(|volume| account(&volume.ok()?.path().join("token"), pod))
        .next()
}

fn account(token: &Path, pod: &str) -> Option<String> {
    let mut text = String::new();
    File::open(token)
        .ok()?
        .take(MAX_TOKEN)
        .read_to_string(&mut text)
        .ok()?;
    let claims = text.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    let claims: Claims = serde_json::from_slice(&claims).ok()?;
    let Kubernetes {
        pod: own,
        serviceaccount,
    } = claims.kubernetes;
    (own.uid == pod).then_some(serviceaccount.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";

    fn kubelet(volume: &str, claims: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let volume = folder
            .path()
            .join("pods")
            .join(POD)
            .join(PROJECTED)
            .join(volume);
        fs::create_dir_all(&volume).unwrap();
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        fs::write(volume.join("token"), token).unwrap();
        folder
    }

    fn claims(pod: &str) -> String {
        format!(
            r#"{{"sub": "system:serviceaccount:team:bot", "kubernetes.io": {{"namespace": "team",
                "pod": {{"name": "agent", "uid": "{pod}"}}, "serviceaccount": {{"name": "bot", "uid": "1"}}}}}}"#
        )
    }

    #[test]
    fn a_pods_token_says_whose_it_is() {
        let folder = kubelet("kube-api-access-x2x4z", &claims(POD));
        assert_eq!(service_account(folder.path(), POD).as_deref(), Some("bot"));
    }

    #[test]
    fn what_is_no_token_of_this_pod_says_nothing() {
        let other = kubelet("kube-api-access-x2x4z", &claims("another"));
        assert_eq!(service_account(other.path(), POD), None);
        let nonsense = kubelet("kube-api-access-x2x4z", "{}");
        assert_eq!(service_account(nonsense.path(), POD), None);
        let folder = kubelet("kube-api-access-x2x4z", &claims(POD));
        for pod in [
            "",
            "..",
            "missing",
            "../pods/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        ] {
            assert_eq!(service_account(folder.path(), pod), None, "{pod}");
        }
    }
}
