//! Names that carry data, and names of hosts as they are.

use enforcer_decode::label::{Oddity, labels};

#[test]
fn data_in_labels_is_suspected() {
    for host in [
        // "the password is hunter2", as base32, hexadecimal digits, base64.
        "orugkidqmfzxg53pojsca2ltebuhk3tumvzde.evil.example".to_owned(),
        "ORUGKIDQMFZXG53POJSCA2LTEBUHK3TUMVZDE.evil.example".to_owned(),
        "7468652070617373776f72642069732068756e74657232.evil.example".to_owned(),
        "dGhlIHBhc3N3b3JkIGlzIGh1bnRlcjI.evil.example".to_owned(),
        // Cut into labels.
        "7468652070617.373776f7264206.9732068756e74657232.x.evil.example".to_owned(),
        // Encrypted.
        "k7x2q9v4m1z8p3w6t5r0y2u7n4b1c8d5f3g6h9j2.q8w3e7r2t6y1u5i9o4p0a8s3d7f2g6h1j5k9l4z0.evil.example".to_owned(),
        "mzq4x7t2v9k1w8p3n6r5y0j2h7b4c1d8f5g3s6l9a2e7.t.evil.example".to_owned(),
    ] {
        let suspicion = labels(&host);
        assert!(suspicion.score >= 0.6, "{host}: {suspicion:?}");
    }
}

#[test]
fn hosts_as_they_are_are_not_suspected() {
    for host in [
        "api.openai.com",
        "www.google.com",
        "my-internationalization-service.example.com",
        "d111111abcdef8.cloudfront.net",
        "d3a4k5l6m7n8o9.cloudfront.net",
        "ec2-203-0-113-25.compute-1.amazonaws.com",
        "my-bucket-name.s3.eu-central-1.amazonaws.com",
        "a1b2c3d4e5f6g7.execute-api.us-east-1.amazonaws.com",
        "internal-my-load-balancer-1234567890.eu-west-1.elb.amazonaws.com",
        "myproject-default-rtdb.firebaseio.com",
        "my-app-7d4b9c6f5-x2x9z.apps.example.com",
        "user-images.githubusercontent.com",
        "objects-origin.githubusercontent.com",
        "r3---sn-4g5ednsl.googlevideo.com",
        "lh3.googleusercontent.com",
        "generativelanguage.googleapis.com",
        "e1234.dscb.akamaiedge.net",
        "a248.e.akamai.net",
        "550e8400-e29b-41d4-a716-446655440000.example.com",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709.preview.example.com",
        "d41d8cd98f00b204e9800998ecf8427e.gr7.us-west-2.eks.amazonaws.com",
        "xn--bcher-kva.example.com",
        "deploy-preview-123--my-docs-site.netlify.app",
        "my-service-abcdefghij-uc.a.run.app",
        "documentation.internationalbusiness.example.co.uk",
        "selector1-example-com._domainkey.example.onmicrosoft.com",
        "localhost",
        "",
    ] {
        let suspicion = labels(host);
        assert!(suspicion.score < 0.5, "{host}: {suspicion:?}");
    }
}

#[test]
fn it_says_which_label_and_why() {
    let suspicion = labels("www.7468652070617373776f72642069732068756e74657232.evil.example");
    assert!(
        matches!(suspicion.label, Some((1, Oddity::Encoded(_)))),
        "{suspicion:?}"
    );
}
