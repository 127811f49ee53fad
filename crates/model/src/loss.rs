//! The training loss.

use burn::tensor::Tensor;

/// Binary cross-entropy of probabilities, averaged over breasts and summed over classes:
/// `−Σ_c mean_b [y·ln p + (1 − y)·ln(1 − p)]`, with p kept away from 0 and 1 by 1e-6.
///
/// # Shapes
/// Both `[n_bags, c]`; targets are 0 or 1.
pub fn bce(probabilities: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let p = probabilities.clamp(1e-6, 1.0 - 1e-6);
    let not_p = p.clone().neg().add_scalar(1.0);
    let not_y = targets.clone().neg().add_scalar(1.0);
    let sum = targets * p.log() + not_y * not_p.log();
    sum.mean_dim(0).sum().neg()
}

/// The loss of a network with saliency: `BCE(breasts) + β·mean|saliency|`.
pub fn mil_loss(
    bag_scores: Tensor<2>,
    targets: Tensor<2>,
    saliency: Tensor<4>,
    beta: f64,
) -> Tensor<1> {
    bce(bag_scores, targets) + saliency.mean().mul_scalar(beta)
}
