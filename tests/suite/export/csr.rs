//! Compressed sparse rows.

use super::bits;
use gdstar::export::Csr;
use gdstar::tensor_file::Tensor;
use ndarray::ArrayD;
use proptest::prelude::*;

/// The definition, by hand: the second row has nothing, a living 0 is a value, the mask decides.
#[test]
fn a_small_matrix_by_hand() {
    let value = ArrayD::from_shape_vec(vec![3, 2, 2], (0..12).map(f64::from).collect()).unwrap();
    let alive = [1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1].map(|bit| bit == 1);
    let tensors = Csr::from_dense(&value, &alive).unwrap().tensors("w");
    let expected = [
        ("w.indptr", Tensor::from_slice(&[4], &[0i32, 2, 2, 5])),
        ("w.indices", Tensor::from_slice(&[5], &[0i32, 3, 1, 2, 3])),
        ("w.values", Tensor::from_slice(&[5], &[0.0, 3.0, 9.0, 10.0, 11.0])),
        ("w.shape", Tensor::from_slice(&[3], &[3i64, 2, 2])),
    ];
    assert_eq!(tensors, expected.map(|(name, tensor)| (name.to_string(), tensor)));
}

/// Arrays that describe no matrix are refused by name, before anything is indexed by them.
#[test]
fn malformed_arrays_are_refused() {
    let refused = |indptr: &[i32], indices: &[i32], values: usize, part: &str| {
        let csr = Csr::new(&[2, 3], indptr.to_vec(), indices.to_vec(), vec![1f32; values]);
        let error = csr.unwrap_err().to_string();
        assert!(error.starts_with(part), "{error}");
    };
    assert!(Csr::new(&[2, 3], vec![0, 1, 3], vec![2, 0, 2], vec![1f32; 3]).is_ok());
    refused(&[0, 3], &[2, 0, 2], 3, "indptr: expected 3 offsets from 0 to 3");
    refused(&[1, 1, 3], &[2, 0, 2], 3, "indptr");
    refused(&[0, 1, 2], &[2, 0, 2], 3, "indptr");
    refused(&[0, 4, 3], &[2, 0, 2], 3, "indptr");
    refused(&[0, -1, 3], &[2, 0, 2], 3, "indptr");
    refused(&[0, 1, 3], &[2, 0], 3, "indices: expected 3, one a value");
    refused(&[0, 1, 3], &[3, 0, 2], 3, "indices: expected increasing columns below 3 in row 0");
    refused(&[0, 1, 3], &[-1, 0, 2], 3, "indices: expected increasing columns below 3 in row 0");
    refused(&[0, 1, 3], &[2, 2, 0], 3, "indices: expected increasing columns below 3 in row 1");
    refused(&[0, 1, 3], &[2, 1, 1], 3, "indices: expected increasing columns below 3 in row 1");
}

/// An entry: alive or not, and what it holds while it lives.
fn entry() -> impl Strategy<Value = (bool, f32)> {
    (any::<bool>(), prop_oneof![Just(0.0f32), Just(-0.0), any::<f32>()])
}

proptest! {
    /// CSR and back is the pruned parameter, bit for bit, whatever the shape: no axis, one, or several, some of size 0.
    #[test]
    fn csr_and_back_is_the_same(
        (shape, entries) in prop::collection::vec(0usize..5, 0..4).prop_flat_map(|shape| {
            let size = shape.iter().product::<usize>();
            (Just(shape), prop::collection::vec(entry(), size))
        }),
    ) {
        let alive: Vec<bool> = entries.iter().map(|(alive, _)| *alive).collect();
        let values = entries.iter().map(|&(alive, value)| if alive { value } else { 0.0 }).collect();
        let pruned = ArrayD::from_shape_vec(shape, values).unwrap();
        let csr = Csr::from_dense(&pruned, &alive).unwrap();
        prop_assert_eq!(bits(&csr.to_dense()), bits(&pruned));
        let stored = csr.tensors("").iter().find(|(name, _)| name == ".values").unwrap().1.shape[0];
        prop_assert_eq!(stored, alive.iter().filter(|&&alive| alive).count(), "a value for each living weight");
    }
}
