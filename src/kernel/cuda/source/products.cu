// Products of matrices.

#define TILE 16 // 16 x 16 threads are a block

// c_ij = bias_j + sum_l a_il b_lj, l ascending: a [m,k] and b [k,n] with any strides, bias [n] or null -> c [m,n].
// A block makes a tile of c: its threads bring a tile of a and one of b into shared memory, and each adds what its
// own sum needs of them.
KERNEL matmul(index m, index k, index n, real *c, const real *a, index a_row, index a_column, const real *b,
              index b_row, index b_column, const real *bias) {
    __shared__ real of_a[TILE][TILE];
    __shared__ real of_b[TILE][TILE];
    int row = threadIdx.x / TILE, column = threadIdx.x % TILE;
    index columns = (n + TILE - 1) / TILE, tiles = (m + TILE - 1) / TILE * columns;
    index tile = blockIdx.x;
    DO {
        index i = tile / columns * TILE + row, j = tile % columns * TILE + column;
        wide sum = wide_from(0.0);
        if (bias != 0 && j < n) sum = widen(bias[j]);
        LOOP (index start = 0; start < k; start += TILE) {
            if (i < m && start + column < k) of_a[row][column] = a[i * a_row + (start + column) * a_column];
            if (start + row < k && j < n) of_b[row][column] = b[(start + row) * b_row + j * b_column];
            __syncthreads();
            if (i < m && j < n) {
                index terms = min(k - start, (index)TILE);
                for (index l = 0; l < terms; l++) sum = add_product(sum, of_a[row][l], of_b[l][column]);
            }
            __syncthreads();
        }
        if (i < m && j < n) c[i * n + j] = narrow(sum);
        tile += gridDim.x;
    } while (tile < tiles);
}

// db_o = sum of dy over n and pixels, each ascending: dy [n,o,pixels] -> db [o]. A block makes a channel: its threads
// bring a tile of dy into shared memory, and the first one adds.
KERNEL channel_sums(index n, index channels, index pixels, real *db, const real *dy) {
    __shared__ real tile[THREADS];
    index channel = blockIdx.x;
    DO {
        wide sum = wide_from(0.0);
        index start = 0;
        DO {
            index terms = min(n * pixels - start, (index)THREADS), i = start + threadIdx.x;
            if (threadIdx.x < terms) tile[threadIdx.x] = dy[(i / pixels * channels + channel) * pixels + i % pixels];
            __syncthreads();
            if (threadIdx.x == 0) {
                LOOP (index t = 0; t < terms; t++) sum = add_exactly(sum, widen(tile[t]));
            }
            __syncthreads();
            start += THREADS;
        } while (start < n * pixels);
        if (threadIdx.x == 0) db[channel] = narrow(sum);
        channel += gridDim.x;
    } while (channel < channels);
}
