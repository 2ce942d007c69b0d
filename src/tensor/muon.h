/* Muon's orthogonalisation, the same on every backend. With u = U·Σ·Vᵀ, five steps of
 *   X = (a + b·G + c·G²)·X,   G = X·Xᵀ,   from X = u / ‖u‖,
 * send each singular value σ through p(σ) = a·σ + b·σ³ + c·σ⁵ five times: any from 0.002 up comes out between 0.68 and
 * 1.21, so X is nearly U·Vᵀ. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024. */
#ifndef TTT_TENSOR_MUON_H
#define TTT_TENSOR_MUON_H

enum { TTT_MUON_STEPS = 5 };
#define TTT_MUON_A 3.4445f
#define TTT_MUON_B (-4.7750f)
#define TTT_MUON_C 2.0315f
#define TTT_MUON_SMALLEST 1e-7f /* of a norm, to divide by */

/* The step's size is 0.2·sqrt(max(rows, columns)): an orthogonal matrix then moves each number by about as much as
 * AdamW does, and the learning rate and decay are AdamW's. Liu et al., "Muon is scalable for LLM training", 2025. */
#define TTT_MUON_SCALE 0.2f

#endif
